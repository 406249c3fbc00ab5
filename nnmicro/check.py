"""Everything that is checked when a model file is loaded, before any of it runs.

The file is hostile until this has passed: every size, offset, index, count and stride, the order of the layers, and
the memory plan. What a layer's parameters mean is checked by the layer's own kernel module. Used at load only.
"""

from array import array

from . import format as f
from .errors import ModelError
from .port import F32, I32, ITEM_BYTES, U8, crc32

_LIMIT = 1 << 30  # sizes and offsets stay below it
_NAME_BYTES = b"abcdefghijklmnopqrstuvwxyz0123456789_"


def load(net):
    """Check `net.data` and fill in the net's fields. Raises ModelError saying what is wrong, and where."""
    _header(net)
    _sections(net)
    _names(net)
    _blobs(net)
    _layers(net)
    _io(net)
    _plan(net)
    if net.preprocessing_at:
        from .preprocessing import apply, check

        check(net)
        net.preprocess = apply


def check_lazy(net):
    """Compare the sections that `load` leaves out (weights, golden vectors) with their checksums."""
    w = net.words
    for i in range(w[f.H_SECTIONS]):
        e = f.HEADER_WORDS + i * f.SECTION_WORDS
        if w[e + f.S_KIND] & f.LAZY:
            _compare_crc(net, e)


def _fail(text, *values):
    raise ModelError(text % values if values else text)


def _header(net):
    data = net.data
    if len(data) < 4 * f.HEADER_WORDS:
        _fail("the file has %d bytes: too short for a model", len(data))
    if bytes(data[:4]) != f.MAGIC:
        _fail("this is not an nnmicro model: it starts with %r", bytes(data[:4]))
    # The version is read byte by byte: a file of another version may have any length.
    version = data[4] | data[5] << 8 | data[6] << 16 | data[7] << 24
    if version != f.VERSION:
        _fail(
            "the file has format version %d, this engine reads version %d: convert the model again", version, f.VERSION
        )
    size = data[8] | data[9] << 8 | data[10] << 16 | data[11] << 24
    if size != len(data):
        _fail("the header says %d bytes, the file has %d: it was cut off or damaged", size, len(data))
    if size % f.ALIGNMENT or size >= _LIMIT:
        _fail("%d bytes is no size of a model file", size)
    w = net.words = net.view(I32)
    sections = w[f.H_SECTIONS]
    table = 4 * f.HEADER_WORDS
    end = table + 4 * f.SECTION_WORDS * sections
    if not 0 < sections <= 64 or end > size:
        _fail("a section table of %d entries", sections)
    if crc32(data[table:end], crc32(data[: 4 * f.H_CRC])) != w[f.H_CRC] & 0xFFFFFFFF:
        _fail("the header is damaged: its checksum does not match")
    if w[f.H_ALIGNMENT] != f.ALIGNMENT:
        _fail("the file asks for an alignment of %d bytes", w[f.H_ALIGNMENT])
    for field in range(f.H_BLOBS, f.H_MAX_BLOCKS + 1):
        if not 0 <= w[field] < _LIMIT:
            _fail("header word %d is %d", field, w[field])
    for field in range(f.H_PLAN_FLAGS + 1, f.H_CRC):
        if w[field]:
            _fail("reserved header word %d is not 0", field)
    net.n_blobs = w[f.H_BLOBS]
    net.n_records = w[f.H_BLOBS] + w[f.H_CONSTANTS]
    net.n_layers = w[f.H_LAYERS]
    net.n_inputs = w[f.H_INPUTS]
    net.n_outputs = w[f.H_OUTPUTS]
    net.max_operands = w[f.H_MAX_OPERANDS]
    net.max_blocks = w[f.H_MAX_BLOCKS]
    net.arena_size = w[f.H_ARENA_BYTES]
    net.live_peak = w[f.H_LIVE_PEAK]
    net.lower_bound = w[f.H_LOWER_BOUND]
    net.lightmode_off_size = w[f.H_LIGHTMODE_OFF]
    net.optimal = bool(w[f.H_PLAN_FLAGS] & f.PLAN_OPTIMAL)
    if net.n_blobs >= 1 << 15 or net.n_layers >= 1 << 15:
        _fail("%d blobs and %d layers: an engine takes fewer than 32,768", net.n_blobs, net.n_layers)
    if not net.n_inputs or not net.n_outputs or net.n_inputs + net.n_outputs > 2 * net.n_blobs:
        _fail("%d inputs and %d outputs among %d blobs", net.n_inputs, net.n_outputs, net.n_blobs)
    if net.max_blocks > net.n_blobs + net.n_layers or net.max_operands > 4096:
        _fail("%d blocks at a time, %d operands a layer", net.max_blocks, net.max_operands)


def _compare_crc(net, entry):
    w = net.words
    start, size = w[entry + f.S_OFFSET], w[entry + f.S_BYTES]
    if crc32(net.data[start : start + size]) != w[entry + f.S_CRC] & 0xFFFFFFFF:
        _fail("section %s is damaged: its checksum does not match", _section_name(w[entry] & f.KIND_MASK))


def _section_name(kind):
    return f.SECTION_NAMES[kind] if 0 <= kind < len(f.SECTION_NAMES) else "of kind %d" % kind


def _sections(net):
    """Find every section; exactly one of each that is needed, all inside the file and (unless lazy) undamaged."""
    w = net.words
    size = len(net.data)
    tables_end = 4 * (f.HEADER_WORDS + f.SECTION_WORDS * w[f.H_SECTIONS])
    found = {}
    for i in range(w[f.H_SECTIONS]):
        e = f.HEADER_WORDS + i * f.SECTION_WORDS
        kind = w[e] & f.KIND_MASK
        start, length = w[e + f.S_OFFSET], w[e + f.S_BYTES]
        if start % f.ALIGNMENT or not tables_end <= start <= size or not 0 <= length <= size - start or length % 4:
            _fail("section %s: %d bytes at %d do not lie inside the file", _section_name(kind), length, start)
        if kind not in f.KNOWN:
            if not w[e] & f.OPTIONAL:
                _fail(
                    "the file has a section %s, which this engine cannot do without knowing: update nnmicro",
                    _section_name(kind),
                )
            continue
        if kind in found:
            _fail("two sections %s", _section_name(kind))
        found[kind] = e
        if not w[e] & f.LAZY:
            _compare_crc(net, e)
        elif kind != f.WEIGHTS and kind != f.GOLDEN:
            _fail("section %s cannot be lazy", _section_name(kind))
    for kind in f.NEEDED:
        if kind not in found:
            _fail("section %s is missing", _section_name(kind))

    def at(kind):
        e = found.get(kind)
        return (w[e + f.S_OFFSET], w[e + f.S_BYTES]) if e is not None else (0, 0)

    def words(kind, count):
        start, length = at(kind)
        if count is not None and length != 4 * count:
            _fail("section %s has %d bytes, %d are needed", _section_name(kind), length, 4 * count)
        return start // 4, length // 4

    net.blobs_at, _ = words(f.BLOBS, f.BLOB_WORDS * net.n_records)
    net.layers_at, _ = words(f.LAYERS, f.LAYER_WORDS * net.n_layers)
    net.operands_at, net.n_operands = words(f.OPERANDS, None)
    net.params_at, net.n_params = words(f.PARAMS, None)
    net.shapes_at, net.n_shapes = words(f.SHAPES, None)
    net.io_at, _ = words(f.IO, net.n_inputs + net.n_outputs)
    net.fused_at, net.fused_words = words(f.FUSED, None)
    net.quantisation_at, net.n_quantisation = words(f.QUANTISATION, None)
    if f.PREPROCESSING in found:
        net.preprocessing_at, net.preprocessing_words = words(f.PREPROCESSING, None)
    net.names_at, net.names_bytes = at(f.NAMES)
    net.weights_at, net.weights_bytes = at(f.WEIGHTS)
    net.op_names = _texts(net, at(f.OPS), "ops")
    if len(net.op_names) != w[f.H_OPS]:
        _fail("%d kinds of layers are named, the header says %d", len(net.op_names), w[f.H_OPS])
    net.labels = _texts(net, at(f.LABELS), "labels")


def _texts(net, where, what):
    """The NUL-terminated texts of a section (NULs at its end are padding)."""
    start, length = where
    try:
        text = str(bytes(net.data[start : start + length]), "utf-8")
    except (UnicodeError, ValueError):
        _fail("section %s is not UTF-8", what)
    while text.endswith("\0"):
        text = text[:-1]
    return tuple(text.split("\0")) if text else ()


def _names(net):
    """Names end inside their section; kinds of layers are names of modules and nothing else."""
    if net.names_bytes and net.data[net.names_at + net.names_bytes - 1]:
        _fail("section names does not end with a 0 byte")
    try:
        str(bytes(net.data[net.names_at : net.names_at + net.names_bytes]), "utf-8")
    except (UnicodeError, ValueError):
        _fail("section names is not UTF-8")
    for op in net.op_names:
        if not op or op[0] == "_" or any(c not in _NAME_BYTES for c in op.encode()):
            _fail("%r is no kind of layer", op)
    if net.fused_words % 2:
        _fail("section fused has an odd number of words")
    w = net.words
    for i in range(0, net.fused_words, 2):
        _name(net, w[net.fused_at + i], "fused entry %d" % (i // 2))
        if not 0 <= w[net.fused_at + i + 1] < net.n_blobs:
            _fail("fused entry %d names blob %d", i // 2, w[net.fused_at + i + 1])


def _name(net, offset, whose):
    if offset != -1 and not 0 <= offset < (net.names_bytes or _LIMIT):
        _fail("%s: its name is at %d, outside the names", whose, offset)


def _blobs(net):
    w = net.words
    for i in range(net.n_records):
        r = net.blobs_at + i * f.BLOB_WORDS
        dtype = w[r] & 0xFF
        rank = w[r] >> 8 & 0xFF
        whose = "blob %d" % i
        if not 0 < dtype < len(ITEM_BYTES) or rank > f.MAX_RANK or w[r] >> 16 not in (f.ORDER_CHW, f.ORDER_HWC):
            _fail("%s: type word 0x%x", whose, w[r])
        item = ITEM_BYTES[dtype]
        nbytes = w[r + f.B_BYTES]
        c, h, wide = w[r + f.B_C], w[r + f.B_H], w[r + f.B_W]
        if not (0 < nbytes < _LIMIT and 0 < c < _LIMIT and 0 < h < _LIMIT and 0 < wide < _LIMIT):
            _fail("%s: %d bytes for %d x %d x %d elements", whose, nbytes, c, h, wide)
        if w[r + f.B_ROWS] != h:
            _fail("%s: holds %d of %d rows, which this engine does not stream", whose, w[r + f.B_ROWS], h)
        end = item
        for count, step in ((c, w[r + f.B_CSTEP]), (h, w[r + f.B_RSTEP]), (wide, w[r + f.B_PSTEP])):
            if not 0 < step < _LIMIT or step % item:
                _fail("%s: a step of %d bytes", whose, step)
            end += (count - 1) * step
        if end > nbytes:
            _fail("%s: its elements reach to byte %d of %d", whose, end, nbytes)
        _distinct(w, r, whose)
        first = w[r + f.B_SHAPE]
        if not 0 <= first <= net.n_shapes - rank:
            _fail("%s: its shape is outside the shapes", whose)
        elements = 1
        for axis in range(rank):
            size = w[net.shapes_at + first + axis]
            if not 0 < size < _LIMIT:
                _fail("%s: axis %d has size %d", whose, axis, size)
            elements *= size
        if elements != c * h * wide:
            _fail("%s: its shape has %d elements, its storage %d", whose, elements, c * h * wide)
        _name(net, w[r + f.B_NAME], whose)
        if w[r + f.B_PACKING] != 0:
            _fail("%s: packed for other kernels: convert the model for this board", whose)
        if w[r + f.B_QUANT] != -1:
            _quantisation(net, w[r + f.B_QUANT], dtype, whose)
        place = w[r + f.B_PLACE]
        if i >= net.n_blobs:
            if not 0 <= place <= net.weights_bytes - nbytes or place % item:
                _fail("constant %d: its %d bytes at %d are outside the weights", i, nbytes, place)
            if w[r + f.B_PRODUCER] != -1:
                _fail("constant %d has a producer", i)
        elif place != -1 and (place < 0 or place % f.ALIGNMENT or place + nbytes > net.arena_size):
            _fail("%s: planned at %d, outside the %d bytes of the frame", whose, place, net.arena_size)


def _quantisation(net, at, dtype, whose):
    """An integer blob has one scale, a positive number, and one zero point that its type can hold."""
    if not 0 <= at <= net.n_quantisation - 4 or dtype == F32:
        _fail("%s: its quantisation is outside the list, or it is no integer", whose)
    at += net.quantisation_at
    if net.words[at + f.Q_AXIS] != -1 or net.words[at + f.Q_COUNT] != 1:
        _fail("%s: quantised by axis, which blobs cannot be", whose)
    scale = net.view(F32)[at + f.Q_SCALES]
    if not 0 < scale < 1e30:
        _fail("%s: a scale of %s", whose, scale)
    bits = 8 * ITEM_BYTES[dtype] if dtype != I32 else 30
    low = 0 if dtype == U8 else -(1 << bits - 1)
    if not low <= net.words[at + f.Q_SCALES + 1] < low + (1 << bits):
        _fail("%s: a zero point of %d", whose, net.words[at + f.Q_SCALES + 1])


def _distinct(w, r, whose):
    """No two elements share a byte: each step is at least as long as all that the smaller ones span."""
    axes = sorted(
        ((w[r + f.B_CSTEP], w[r + f.B_C]), (w[r + f.B_RSTEP], w[r + f.B_H]), (w[r + f.B_PSTEP], w[r + f.B_W]))
    )
    span = 0
    for step, count in axes:
        if count > 1:
            if step < span:
                _fail("%s: its elements overlap", whose)
            span = step * count if step * count > span else span


def _layers(net):
    """Layers read only what earlier ones made, every blob is made once; counts the readers of every blob."""
    w = net.words
    made = bytearray(net.n_blobs)
    for i in range(net.n_blobs):
        r = net.blobs_at + i * f.BLOB_WORDS
        if w[r + f.B_FLAGS] & (f.INPUT | f.STATE):
            made[i] = 1
            if w[r + f.B_PRODUCER] != -1:
                _fail("input or state blob %d has a producer", i)
            if w[r + f.B_FLAGS] & f.STATE and w[r + f.B_FLAGS] != f.STATE:
                _fail("state blob %d is an input or output, too", i)
        elif not 0 <= w[r + f.B_PRODUCER] < net.n_layers:
            _fail("blob %d is made by layer %d of %d", i, w[r + f.B_PRODUCER], net.n_layers)
    for i in range(net.n_layers):
        r = net.layers_at + i * f.LAYER_WORDS
        n_in, n_out = w[r + f.L_INPUTS], w[r + f.L_OUTPUTS]
        first = w[r + f.L_OPERANDS]
        if not 0 <= w[r + f.L_OP] < len(net.op_names):
            _fail("layer %d is of kind %d, %d are named", i, w[r + f.L_OP], len(net.op_names))
        if n_in < 1 or n_out != 1 or n_in + n_out > net.max_operands:
            _fail("layer %d has %d inputs and %d outputs", i, n_in, n_out)
        if not 0 <= first <= net.n_operands - n_in - n_out:
            _fail("layer %d: its operands are outside the list", i)
        count = w[r + f.L_PARAM_COUNT]
        if count < 0 or not 0 <= w[r + f.L_PARAMS] <= net.n_params - count:
            _fail("layer %d: its parameters are outside the list", i)
        _name(net, w[r + f.L_NAME], "layer %d" % i)
        if w[r + f.L_WORKSPACE] != 0:
            _fail("layer %d asks for a workspace of %d bytes, which this engine does not give", i, w[r + f.L_WORKSPACE])
        for k in range(n_in):
            blob = w[net.operands_at + first + k]
            if not 0 <= blob < net.n_records:
                _fail("layer %d reads blob %d of %d", i, blob, net.n_records)
            if blob < net.n_blobs and not made[blob]:
                _fail(
                    "layer %d reads blob %d before a layer made it: the layers form a cycle or are out of order",
                    i,
                    blob,
                )
        for k in range(n_in, n_in + n_out):
            blob = w[net.operands_at + first + k]
            if not 0 <= blob < net.n_blobs or made[blob] or w[net.record(blob) + f.B_PRODUCER] != i:
                _fail("layer %d makes blob %d, which is not its to make", i, blob)
            made[blob] = 1
        _sharing(net, i, r, w[net.operands_at + first], w[net.operands_at + first + n_in])
    for i in range(net.n_blobs):
        if not made[i]:
            _fail("no layer makes blob %d", i)


def _sharing(net, layer, r, source, target):
    """A shared or in-place output fits its input's block exactly."""
    w = net.words
    flags = w[r + f.L_FLAGS]
    if flags & ~(f.SHARE | f.IN_PLACE):
        _fail("layer %d has flags 0x%x", layer, flags)
    if (net.op_names[w[r + f.L_OP]] == "share") != bool(flags & f.SHARE):
        _fail("layer %d shares its input, or does not, against its kind", layer)
    if not flags:
        return
    if source >= net.n_blobs:
        _fail("layer %d would share or overwrite a constant", layer)
    a, b = net.record(source), net.record(target)
    if w[a + f.B_BYTES] != w[b + f.B_BYTES] or w[a] & 0xFF != w[b] & 0xFF:
        _fail("layer %d: its output does not fit its input's block", layer)
    if flags & f.IN_PLACE:
        for field in (f.B_C, f.B_H, f.B_W, f.B_CSTEP, f.B_RSTEP, f.B_PSTEP):
            if w[a + field] != w[b + field]:
                _fail("layer %d cannot work in place: input and output lie differently", layer)


def _io(net):
    w = net.words
    for i in range(net.n_inputs + net.n_outputs):
        blob = w[net.io_at + i]
        flag = f.INPUT if i < net.n_inputs else f.OUTPUT
        if not 0 <= blob < net.n_blobs or not w[net.record(blob) + f.B_FLAGS] & flag:
            _fail("input or output %d is blob %d, which is not marked so", i, blob)
        for k in range(net.n_inputs if i >= net.n_inputs else 0, i):
            if w[net.io_at + k] == blob:
                _fail("blob %d is declared twice", blob)
    for flag, count in ((f.INPUT, net.n_inputs), (f.OUTPUT, net.n_outputs)):
        marked = 0
        for i in range(net.n_blobs):
            if w[net.record(i) + f.B_FLAGS] & flag:
                marked += 1
        if marked != count:
            _fail("%d blobs are marked as inputs or outputs, %d are declared", marked, count)


def _plan(net):
    """No two blobs that live at the same time are planned over each other."""
    w = net.words
    consumers = net.consumers = array("h", bytes(2 * net.n_blobs))
    for i in range(net.n_layers):
        for k in range(*_inputs(net, i)):
            if w[k] < net.n_blobs:
                consumers[w[k]] += 1
                if consumers[w[k]] >= 1 << 14:
                    _fail("blob %d has more readers than an engine counts", w[k])
    for i in range(net.n_outputs):
        consumers[w[net.io_at + net.n_inputs + i]] += 1
    # State is read in the next inference, too: it is never given back and never overwritten in place.
    net.n_states = 0
    for i in range(net.n_blobs):
        if w[net.record(i) + f.B_FLAGS] & f.STATE:
            consumers[i] += 1
            net.n_states += 1
    left = array("h", consumers)
    live = []  # blobs whose memory is theirs at this point
    root = array("h", range(net.n_blobs))  # whose block a blob's is
    for i in range(net.n_blobs):
        if w[net.record(i) + f.B_FLAGS] & f.STATE:
            _place(net, i, live, root)
    for i in range(net.n_inputs):
        _place(net, w[net.io_at + i], live, root)
    for i in range(net.n_layers):
        first, end = _inputs(net, i)
        source, target = w[first], w[end]
        r = net.layers_at + i * f.LAYER_WORDS
        flags = w[r + f.L_FLAGS]
        over = flags & f.IN_PLACE and left[source] == 1 and not _shared(root, live, source)
        if flags & f.SHARE or over:
            root[target] = root[source]
            live.append(target)
        else:
            _place(net, target, live, root)
        for k in range(first, end):
            if w[k] < net.n_blobs:
                left[w[k]] -= 1
                if not left[w[k]]:
                    live.remove(w[k])
        if not left[target]:
            live.remove(target)


def _inputs(net, layer):
    """Word indices of a layer's first input and of its first output."""
    w = net.words
    r = net.layers_at + layer * f.LAYER_WORDS
    first = net.operands_at + w[r + f.L_OPERANDS]
    return first, first + w[r + f.L_INPUTS]


def _shared(root, live, blob):
    """Whether another live blob has the same block."""
    for other in live:
        if other != blob and root[other] == root[blob]:
            return True
    return False


def _place(net, blob, live, root):
    """Add a blob with a block of its own; ModelError where its planned range is taken."""
    w = net.words
    start = w[net.record(blob) + f.B_PLACE]
    if start >= 0:
        end = start + w[net.record(blob) + f.B_BYTES]
        for other in live:
            r = net.record(root[other])
            at = w[r + f.B_PLACE]
            if at >= 0 and start < at + w[r + f.B_BYTES] and at < end:
                _fail("the plan puts blob %d and blob %d into the same memory at the same time", blob, other)
    live.append(blob)
