"""Each layer against its own kind's rules, which its reference module has. Loaded where one of those is, and no more:
kernels in C check every call themselves, and a board that has them for all layers need not carry the reference."""

from .call import Call
from .errors import ModelError
from .port import const

_H_MAX_OPERANDS = const(15)
_BLOB_WORDS = const(16)
_B_FLAGS = const(1)
_STATE = const(4)
_LAYER_WORDS = const(12)
_L_OP = const(0)
_L_OPERANDS = const(2)

# Of a net's places
_AT_LAYERS = const(1)
_AT_OPERANDS = const(2)


def check_layers(net, op, reference):
    """Check all layers of a kind."""
    call = Call(net.words[_H_MAX_OPERANDS])
    for layer in range(net.n_layers):
        if net.words[net.at[_AT_LAYERS] + layer * _LAYER_WORDS + _L_OP] == op:
            _check(net, call, layer, reference)


def check_layer(net, layer, reference):
    """Check one."""
    _check(net, Call(net.words[_H_MAX_OPERANDS]), layer, reference)


def _check(net, call, layer, reference):
    """The operands that a layer writes besides its output have to be states."""
    w = net.words
    call.bind(net, layer, None, None)
    if net.steps_at:
        from .stepping import bind_state

        bind_state(call, net, layer)
    try:
        reference.check(call)
        first = net.at[_AT_OPERANDS] + w[net.at[_AT_LAYERS] + layer * _LAYER_WORDS + _L_OPERANDS]
        for i in getattr(reference, "_STATES", ()):
            blob = w[first + i]
            if blob >= net.n_blobs or not w[net.blobs_at + blob * _BLOB_WORDS + _B_FLAGS] & _STATE:
                raise ModelError("input %d is written to, and is no state blob" % i)
    except ModelError as error:
        raise ModelError("layer %s: %s" % (net.layer_name(layer), error))
