"""A model file read back as the program and plan that were written: for pictures, reports and tests."""

from __future__ import annotations

from nnmicro import Net
from nnmicro import format as f

from .layout import Blob, Program, Step, Storage
from .plan import Plan, lifetimes


def read_program(net: Net) -> Program:
    """The program of a loaded model (constants without their data)."""
    w = net.words
    program = Program("model", labels=list(net.labels))
    for index in range(net.n_records):
        r = net.record(index)
        storage = Storage(
            *(w[r + field] for field in (f.B_C, f.B_H, f.B_W, f.B_CSTEP, f.B_RSTEP, f.B_PSTEP, f.B_BYTES))
        )
        blob = Blob(
            str(net.name(index)),
            net.shape_at(index),
            w[r] & 0xFF,
            storage,
            order=w[r] >> 16,
            producer=w[r + f.B_PRODUCER],
            place=w[r + f.B_PLACE],
        )
        if index < net.n_blobs and w[r + f.B_OWNER]:
            blob.owner, blob.inside = w[r + f.B_OWNER] - 1, blob.place
        (program.blobs if index < net.n_blobs else program.constants).append(blob)
    for blob in program.blobs:
        if blob.owner >= 0:
            blob.place = program.blobs[blob.owner].place
    for index in range(net.n_layers):
        r = net.layers_at + index * f.LAYER_WORDS
        first = net.operands_at + w[r + f.L_OPERANDS]
        inputs = [w[first + i] for i in range(w[r + f.L_INPUTS])]
        params = [w[net.params_at + w[r + f.L_PARAMS] + i] for i in range(w[r + f.L_PARAM_COUNT])]
        op = net.op_names[w[r + f.L_OP]]
        step = Step(net.layer_name(index), op, inputs, w[first + len(inputs)], params, w[r + f.L_FLAGS])
        if step.flags & f.OVER:
            source = program.blobs[inputs[0]]
            program.blobs[step.output].reach = source.inside + source.storage.nbytes
        step.workspace, step.workspace_place = w[r + f.L_WORKSPACE], w[r + f.L_WORKSPACE_PLACE]
        program.layers.append(step)
    program.inputs = [w[net.io_at + i] for i in range(net.n_inputs)]
    program.states = [i for i in range(net.n_blobs) if w[net.record(i) + f.B_FLAGS] & f.STATE]
    program.outputs = [w[net.io_at + net.n_inputs + i] for i in range(net.n_outputs)]
    return program


def read_plan(program: Program, net: Net) -> Plan:
    """The plan that a file carries, with the lifetimes that follow from its layers."""
    plan = lifetimes(program)
    for block in plan.blocks:
        workspace = block.blob < 0
        block.offset = program.layers[block.first].workspace_place if workspace else program.blobs[block.blob].place
    # A streamed model has these words for when it runs with whole tensors.
    plan.size, plan.lower_bound = net.words[f.H_ARENA_BYTES], net.words[f.H_LOWER_BOUND]
    return plan
