"""The order in which layers run: the one with the lowest live peak, and the proof that no order has a lower one.

What is in memory between two layers depends only on *which* layers have run, not on their order. So the orders are
paths through the sets of layers that are closed under what they read (downsets, as bit masks), and the best order is
the path whose largest step is smallest: Dijkstra's search with maxima in place of sums. A layer that can run within the
peak that is certain anyway, and leaves no more in memory than there was, can always run first; so chains do not branch.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass

from nnmicro import format as f

from .in_place import exchange, overwritable
from .layout import Program, align

STATES = 50_000  # sets of layers that the exact search looks at; two or three seconds
_BEAM = 64  # and those that the bounded search keeps at each length


@dataclass
class Order:
    """Layers by their index in the program."""

    layers: list[int]
    peak: int  # bytes
    bound: int  # no order has a lower peak; equal to `peak` where the search was exact


def choose_order(program: Program, states: int = STATES) -> int:
    """Put the layers into the order with the lowest live peak, and let two-operand layers overwrite the operand that
    dies. The source's order stays where none is better. Returns the bound: no order has a lower peak."""
    order = best_order(program, states)
    rearrange(program, order.layers)
    return order.bound


def rearrange(program: Program, layers: list[int]) -> None:
    """Put the layers into an order, and exchange operands where only the second one dies in this order."""
    memory = Memory(program)
    program.layers = [program.layers[i] for i in layers]
    done = 0
    for at, (old, step) in enumerate(zip(layers, program.layers, strict=True)):
        program.blobs[step.output].producer = at
        if memory.overwrites(old, done) == 1:
            exchange(step)
        done |= 1 << old


def best_order(program: Program, states: int = STATES) -> Order:
    """The exact search, and where that looks at more than so many sets of layers, a bounded one."""
    memory = Memory(program)
    own = list(range(len(program.layers)))
    bound = memory.bound()
    best = Order(own, memory.peak(own), bound)
    if best.peak == bound:
        return best
    exact, found = _search(memory, bound, best.peak, states)
    best.bound = exact
    if found is None and exact < best.peak:
        found = _beam(memory, bound, best.peak)
    if found is not None:
        best.layers, best.peak = found, memory.peak(found)
    return best


def orders_below(program: Program, nbytes: int, most: int) -> list[list[int]] | None:
    """Every order whose live peak is below so many bytes; None where they are too many to look at all of them."""
    memory = Memory(program)
    everything = (1 << memory.count) - 1
    orders: list[list[int]] = []
    stack: list[tuple[int, int, list[int]]] = [(0, memory.before(), [])]
    looks = 100 * most
    while stack:
        done, used, order = stack.pop()
        looks -= 1
        if done == everything:
            orders.append(order)
        if looks < 0 or len(orders) > most:
            return None
        for layer in reversed(memory.ready(done)):
            during, after = memory.run(layer, done, used)
            if during < nbytes:
                stack.append((done | 1 << layer, after, [*order, layer]))
    return orders


class Memory:
    """The bytes in memory as a function of the set of layers that have run, by the engine's rules (`plan.lifetimes`).

    Blobs that lie in one block, by layers that share and as views, are a group: it is there as long as one of them is
    (what is gathered is read by the layer that gathers it, so the block stays until then). An output that is written in
    place of an input is a group of its own: the two are never alive together.
    """

    def __init__(self, program: Program) -> None:
        n = len(program.blobs)
        count = len(program.layers)
        self.count = count
        kept = {*program.outputs, *program.states}
        self._inputs = [[blob for blob in step.inputs if blob < n] for step in program.layers]
        self._outputs = [step.output for step in program.layers]
        self._overwritable = [
            [(p, step.inputs[p]) for p in overwritable(program, step) if step.inputs.count(step.inputs[p]) == 1]
            for step in program.layers
        ]
        self._workspace = [align(step.workspace) for step in program.layers]
        self._made = [0] * n  # the bit of the layer that makes a blob
        self._readers = [0] * n  # the bits of those that read it
        self._group = list(range(n))
        for at, step in enumerate(program.layers):
            self._made[step.output] = 1 << at
            for blob in self._inputs[at]:
                self._readers[blob] |= 1 << at
        # Inputs that nobody reads stay; other blobs that nobody reads vanish with their layer.
        self._kept = [b in kept or (not self._made[b] and not self._readers[b]) for b in range(n)]
        for step in program.layers:
            out = step.output
            self._group[out] = self._group[step.inputs[0]] if step.flags & f.SHARE else program.block_of(step)
        self._members: list[list[int]] = [[] for _ in range(n)]
        for blob, group in enumerate(self._group):
            self._members[group].append(blob)
        self._nbytes = [blob.block_bytes for blob in program.blobs]
        makers = [[m for b in inputs if (m := self._made[b])] for inputs in self._inputs]
        self.needs = [sum(set(found)) for found in makers]  # the bits of the layers that have to run before
        self._reader_layers = [[i for i in range(count) if self._readers[out] >> i & 1] for out in self._outputs]

    # One set of layers

    def alive(self, blob: int, done: int) -> bool:
        made = self._made[blob]
        if made & ~done:
            return False
        return self._kept[blob] or bool(self._readers[blob] & ~done)

    def _is_there(self, group: int, done: int) -> bool:
        return any(self.alive(b, done) for b in self._members[group])

    def before(self) -> int:
        """What is in memory before any layer has run."""
        groups = {g for b, g in enumerate(self._group) if not self._made[b] and self.alive(b, 0)}
        return sum(self._nbytes[g] for g in groups)

    def overwrites(self, layer: int, done: int) -> int:
        """The position of the input that the layer overwrites when it runs after these, or -1."""
        for position, blob in self._overwritable[layer]:
            alone = not any(self.alive(b, done) for b in self._members[self._group[blob]] if b != blob)
            if alone and not self._kept[blob] and self._readers[blob] & ~done == 1 << layer:
                return position
        return -1

    def run(self, layer: int, done: int, used: int) -> tuple[int, int]:
        """Bytes in memory while the layer runs after these, and when it has run."""
        out = self._outputs[layer]
        group = self._group[out]
        during = after = used
        if not self._is_there(group, done):
            if self.overwrites(layer, done) < 0:
                during += self._nbytes[group]
            after += self._nbytes[group]
        now = done | 1 << layer
        for g in {group, *(self._group[b] for b in self._inputs[layer])}:
            if not self._is_there(g, now):
                after -= self._nbytes[g]
        return during + self._workspace[layer], after

    def ready(self, done: int) -> list[int]:
        """The layers that can run next."""
        return [i for i in range(self.count) if not done >> i & 1 and not self.needs[i] & ~done]

    def follow(self, ready: tuple[int, ...], layer: int, done: int) -> tuple[int, ...]:
        """`ready` once a layer of it has run; `done` has it."""
        new = [i for i in self._reader_layers[layer] if not self.needs[i] & ~done]
        return (*(i for i in ready if i != layer), *new)

    # Whole orders

    def peak(self, order: list[int]) -> int:
        done, used = 0, self.before()
        peak = used
        for layer in order:
            during, used = self.run(layer, done, used)
            done |= 1 << layer
            peak = max(peak, during)
        return peak

    def bound(self) -> int:
        """What every order has in memory at some layer: its operands, and all that crosses it in every order."""
        above = [0] * self.count  # the layers that run before it in every order
        for layer in range(self.count):  # the program's own order has what it needs before it
            for other in range(self.count):
                if self.needs[layer] >> other & 1:
                    above[layer] |= above[other] | 1 << other
        below = [0] * self.count
        for layer in range(self.count):
            for other in range(self.count):
                if above[layer] >> other & 1:
                    below[other] |= 1 << layer
        highest = self.before()
        for layer in range(self.count):
            highest = max(highest, self._least(layer, above[layer], below[layer]))
        return highest

    def _least(self, layer: int, above: int, below: int) -> int:
        """The least that can be in memory while a layer runs: everything that may have run before has run."""
        everything = (1 << self.count) - 1
        latest = everything & ~below & ~(1 << layer)
        nbytes = self._workspace[layer]
        certain = {
            group
            for group, members in enumerate(self._members)
            if any(not self._made[b] & ~above and self.alive(b, latest) for b in members)
        }
        nbytes += sum(self._nbytes[group] for group in certain)
        out = self._group[self._outputs[layer]]
        # In place in the best case: nothing that cannot run before reads or shares that input.
        free = any(
            not self._kept[blob]
            and self._readers[blob] & ~latest == 1 << layer
            and not any(
                not self._made[b] & ~above and self.alive(b, latest)
                for b in self._members[self._group[blob]]
                if b != blob
            )
            for _, blob in self._overwritable[layer]
        )
        return nbytes if free or out in certain else nbytes + self._nbytes[out]


def _search(memory: Memory, bound: int, limit: int, states: int) -> tuple[int, list[int] | None]:
    """The lowest peak that any order has, and such an order if it is below `limit`.

    After so many states: what is proven until then, and None.
    """
    everything = (1 << memory.count) - 1
    first = max(bound, memory.before())
    # (peak so far, layers still to run, bytes in memory, set of those that ran, layers that can run next)
    queue = [(first, memory.count, memory.before(), 0, tuple(memory.ready(0)))]
    best = {0: first}
    came: dict[int, tuple[int, int]] = {}
    while queue:
        peak, to_run, used, done, ready = heapq.heappop(queue)
        if peak >= limit:
            return limit, None
        if done == everything:
            return peak, _path(came, done)
        if peak > best[done]:
            continue
        if len(best) > states:
            return peak, None
        moves = [(layer, *memory.run(layer, done, used)) for layer in ready]
        for layer, during, after in moves:
            if during <= peak and after <= used:
                moves = [(layer, during, after)]
                break
        for layer, during, after in moves:
            now, through = done | 1 << layer, max(peak, during)
            if through < best.get(now, limit):
                best[now] = through
                came[now] = (done, layer)
                heapq.heappush(queue, (through, to_run - 1, after, now, memory.follow(ready, layer, now)))
    return limit, None


def _path(came: dict[int, tuple[int, int]], done: int) -> list[int]:
    order = []
    while done:
        done, layer = came[done]
        order.append(layer)
    return order[::-1]


def _beam(memory: Memory, bound: int, limit: int) -> list[int] | None:
    """The best order found by keeping the best sets of each size, if its peak is below `limit`."""
    beam = [(max(bound, memory.before()), memory.before(), 0, tuple(memory.ready(0)))]
    came: dict[int, tuple[int, int]] = {}
    for _ in range(memory.count):
        found: dict[int, tuple[int, int, int, tuple[int, ...]]] = {}
        for peak, used, done, ready in beam:
            for layer in ready:
                during, after = memory.run(layer, done, used)
                now, through = done | 1 << layer, max(peak, during)
                if through < limit and (now not in found or through < found[now][0]):
                    found[now] = (through, after, now, memory.follow(ready, layer, now))
                    came[now] = (done, layer)
        beam = sorted(found.values())[:_BEAM]
    return _path(came, beam[0][2]) if beam else None
