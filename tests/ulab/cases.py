"""Expressions that mean the same to the strict stand-in and to ulab, or are refused by both.

`np` is ulab's numpy. Evaluated here and on a device with ulab, and the outcomes compared.
"""

# Made anew for each expression.
SETUP = """
A = np.array([[1.5, -2.0, 3.25, 0.5], [4.0, 5.5, -6.0, 0.25], [-1.0, 7.0, 8.0, 2.0]])
B = np.array([[2.0, 0.5, 1.0, 4.0], [1.0, 2.0, -3.0, 8.0], [0.5, 3.0, 1.0, -2.0]])
V = np.array([1.0, 2.0, -3.0, 0.5])
C = np.array([[2.0], [3.0], [4.0]])
U8 = np.array([250, 3, 7, 100], dtype=np.uint8)
I8 = np.array([-100, 3, 7, 100], dtype=np.int8)
U16 = np.array([250, 60000, 7, 100], dtype=np.uint16)
I16 = np.array([-250, 3, 30000, 100], dtype=np.int16)
M = bytearray(range(48))
class Index:
    def __getitem__(self, index):
        return index
AT = Index()
def after(f, x):
    f(x)
    return x
def put(x, index, value):
    x[index] = value
    return x
def add(x, y):
    x += y
    return x
def subtract(x, y):
    x -= y
    return x
def multiply(x, y):
    x *= y
    return x
def divide(x, y):
    x /= y
    return x
def power(x, y):
    x **= y
    return x
"""

_TWO = (
    "A {} B",
    "A {} V",
    "A {} C",
    "V {} A",
    "A {} 2",
    "A {} 0.5",
    "A[:, ::2] {} B[:, 1::2]",
    "A[:2, 1:3] {} B[1:, :2]",
)
_TWO_INTEGERS = (
    "U8 {} U8[::-1]",
    "I8 {} I8[::-1]",
    "U16 {} U16[::-1]",
    "I16 {} I16[::-1]",
    "U8 {} V",
    "V {} I16",
    "I8 {} 3",
    "U8 {} 3",
)

EXPRESSIONS = (
    *(case.format(op) for op in ("+", "-", "*", "/", "<", "<=", ">", ">=", "==", "!=") for case in _TWO),
    *(case.format(op) for op in ("+", "-", "*", "/", "<", "==") for case in _TWO_INTEGERS),
    "A < -1",
    "A > -2",
    "A == -2",
    "A <= -2.0",
    "A > 300",
    "A > -300",
    "abs(A) ** 2",
    "abs(A) ** 0.5",
    "abs(A) ** B",
    "2 - A",
    "2.5 / A",
    "2 ** V",
    "1 + U8",
    "-A",
    "-I8",
    "abs(I16)",
    "+A",
    *(
        f"{a} {op} {b}"
        for op in "+*"
        for a, b in (
            ("U8", "I8"),
            ("U8", "U16"),
            ("U8", "I16"),
            ("I8", "U8"),
            ("I8", "I16"),
            ("I8", "U16"),
            ("U16", "I8"),
            ("U16", "I16"),
            ("I16", "U16"),
            ("I16", "I8"),
        )
    ),
    "A + np.zeros((2, 4))",
    "A + [1.0, 2.0, 3.0, 4.0]",
    "add(A, B)",
    "add(A, V)",
    "add(V, A)",
    "add(A, 2)",
    "add(I8, 1)",
    "add(I8, V)",
    "add(A[:, ::2], 3)",
    "add(A[1:, 1:3], B[:2, ::2]) * 1",
    "subtract(A, C)",
    "multiply(A, V)",
    "divide(A, B)",
    "divide(I8, 2)",
    "power(abs(A), 2)",
    "after(lambda x: add(x[1:3, 1:3], 100), A)",
    "after(lambda x: multiply(x[:, ::3], C), A)",
    "A[1]",
    "A[-1]",
    "A[1, 2]",
    "A[1][2]",
    "V[-1]",
    "A[:, 1]",
    "A[1:, 1]",
    "A[:, 1:2]",
    "A[::2]",
    "A[::-1]",
    "A[:, ::-2]",
    "A[5:]",
    "A[:, :99]",
    "A[0, 1, 2]",
    "A[9]",
    "A[None]",
    "A[...]",
    "A[[0, 1]]",
    "A['a']",
    "len(A)",
    "[x for x in V]",
    "put(A, AT[:, 1], 7)",
    "put(A, AT[1:3], V)",
    "put(A, AT[:, 0:2], C)",
    "put(V, 1, 9)",
    "put(A, (1, 2), 9.5)",
    "put(A, AT[0:2, 0:2], B[1:, 2:])",
    "put(A, 1, I8)",
    "put(I8, 0, 5)",
    "put(A, AT[:, 1:3], A[:, 0:2])",
    "put(V, AT[:], B)",
    "put(A, AT[0:2], A[1:])",
    "A.shape",
    "A.size",
    "A.ndim",
    "A.itemsize",
    "A.dtype",
    "U8.dtype",
    "I16.itemsize",
    "(A > 0).dtype",
    "A[:, ::2].strides",
    "A.T",
    "A.T.strides",
    "A.transpose()",
    "A.reshape((4, 3))",
    "A.reshape((12,))",
    "A.reshape(12)",
    "A.reshape((5, 2))",
    "A.reshape((2, 2, 3))",
    "A.reshape((-1, 4))",
    "A.flatten()",
    "A.flatten(order='F')",
    "A.flatten('F')",
    "A.tolist()",
    "A.T.flatten()",
    "bytes(U16.tobytes())",
    "bytes(A[:, 1:].tobytes())",
    "bytes(A[1:].tobytes())",
    "A.copy()",
    "after(lambda x: put(x.reshape((12,)), 5, 99), A)",
    "after(lambda x: put(x[:, 1:].reshape((9,)), 5, 99), A)",
    "after(lambda x: put(x.T, (0, 1), 99), A)",
    "after(lambda x: put(x.copy(), 0, 99), A)",
    "list(A.flat)",
    "A.max()",
    "A.sum()",
    "A.mean()",
    "A.astype(np.int8)",
    "A.view()",
    "A.ravel()",
    "A.clip(0, 1)",
    "A.fill(1)",
    "A @ B",
    "np.dot(A, B.T)",
    "np.dot(A, V)",
    "np.dot(V, V)",
    "np.dot(A, B)",
    "np.dot(A[:, ::2], B.T[::2, :1])",
    "np.dot(U8, V)",
    "np.dot(A, [1.0, 2.0, 3.0, 4.0])",
    "np.dot(A, 2)",
    "np.dot(a=A, b=V)",
    *(
        f"np.{f}(A{rest})"
        for f in ("sum", "mean", "max", "min")
        for rest in (
            "",
            ", axis=0",
            ", axis=1",
            ", 1",
            ", axis=-1",
            ", axis=1, keepdims=True",
            ", axis=0, keepdims=True",
            ", axis=2",
            ", axis=(0, 1)",
            ", out=A",
        )
    ),
    "np.sum(V)",
    "np.sum(V, axis=0)",
    "np.max(A[:, ::2], axis=1)",
    "np.sum(A[::2, 1:], axis=0)",
    "np.argmax(V)",
    "np.argmin(A)",
    "np.sum(np.array([1.0, np.inf, 2.0, 3.0]))",
    "np.sum(A, dtype=np.float)",
    *(
        f"np.{f}({x})"
        for f in ("maximum", "minimum")
        for x in ("A, B", "A, V", "A, 0", "A, 0.5", "0.5, A", "C, A", "2, 3")
    ),
    "np.maximum(A, B, out=A)",
    "np.maximum(U8, U8)",
    "np.clip(A, -1, 2.5)",
    "np.clip(A, a_min=0, a_max=1)",
    "np.clip(A, 0)",
    "np.where(A > 1, A, B)",
    "np.where(A > 1, A, 0.0)",
    "np.where(V > 1, 1.0, A)",
    "np.where(A > 1)",
    *(
        f"np.{f}({x})"
        for f in ("exp", "tanh", "sin", "cos", "floor", "ceil", "expm1", "sinh")
        for x in ("A", "V", "0.5", "U8 * 0.01")
    ),
    *(f"np.{f}(abs(A))" for f in ("sqrt", "log", "log2", "log10")),
    "np.exp(A[:, ::2])",
    "np.exp(A.T)",
    "np.sqrt(4)",
    "np.exp(A, out=B)",
    "after(lambda x: np.exp(A, out=x), B)",
    "np.exp(A, out=V)",
    "np.exp(A, B)",
    "np.exp(A, out=U8)",
    "after(lambda x: np.exp(x, out=x), A)",
    "after(lambda x: np.exp(A[:2], out=x[1:]), B)",
    "np.equal(A, B)",
    "np.not_equal(V, 2)",
    "np.isfinite(A)",
    "np.isinf(V)",
    "np.isfinite(1.0)",
    "np.zeros(3)",
    "np.zeros((2, 3))",
    "np.zeros((1, 2, 3))",
    "np.zeros((2, 3), dtype=np.int8)",
    "np.zeros((2, 3), np.int8)",
    "np.ones((2, 2), dtype=np.uint16)",
    "np.ones(2, 3)",
    "np.full((2, 2), 1.5)",
    "np.full((2, 2), 3, dtype=np.int16)",
    "np.empty((2, 2)).shape",
    "np.zeros((2, 2), dtype=np.int32)",
    "np.zeros((2, 2), dtype='float')",
    "np.zeros([2, 3])",
    "np.array([1, 2])",
    "np.array([[1, 2], [3, 4]], dtype=np.int8)",
    "np.array([1, 2], np.int8)",
    "np.array(A)",
    "np.array([[1, 2], [3]])",
    "np.array(5)",
    "np.array([[[1.0]]])",
    "np.array([True, False]).dtype",
    "np.concatenate((A, B))",
    "np.concatenate((A, B), axis=1)",
    "np.concatenate((A, B), 1)",
    "np.concatenate([A, B])",
    "np.concatenate((A, C), axis=1)",
    "np.concatenate((A, C))",
    "np.frombuffer(M, dtype=np.uint8)",
    "np.frombuffer(M, dtype=np.int16)",
    "np.frombuffer(M, dtype=np.int8, count=3)",
    "np.frombuffer(M, dtype=np.uint16, offset=4)",
    "np.frombuffer(M, np.uint8)",
    "np.frombuffer(memoryview(M)[4:10], dtype=np.int8)",
    "np.frombuffer(M)[0] > 0",
    "np.frombuffer(M[:7])",
    "np.frombuffer(M, dtype=np.int8, offset=99)",
    "np.frombuffer([1, 2])",
    "np.frombuffer(M, dtype=np.int8, count=99)",
    "after(lambda m: put(np.frombuffer(m, dtype=np.uint8), 3, 200), M)",
    "np.int32",
    "np.float32",
    "np.float64",
    "np.errstate",
    "np.matmul(A, B)",
    "np.pad(V, 1)",
    "np.stack((V, V))",
    "np.abs(A)",
    "np.reshape(A, (12,))",
    "np.transpose(A)",
    "np.prod(V)",
    "np.square(V)",
    "np.outer(V, V)",
    "np.einsum('i,i', V, V)",
    "np.pi",
    "np.inf > 1",
    "np.float",
    "np.uint8",
    "np.int8",
    "np.uint16",
    "np.int16",
    "np.bool",
    "np.ndarray is type(A)",
)

# What ulab does and the stand-in refuses: because it is wrong there, differs from numpy, or no kernel needs it.
REFUSED_HERE = frozenset(
    (
        "np.sum(np.array([1.0, np.inf, 2.0, 3.0]))",
        "A[None]",
        "A[...]",
        "A[[0, 1]]",
        "A['a']",  # nothing happens
        "np.array([[1, 2], [3]])",
        "np.frombuffer([1, 2])",
        "put(V, AT[:], B)",
        *(
            f"{a} / {b}"
            for a, b in (
                ("U8", "U8[::-1]"),
                ("I8", "I8[::-1]"),
                ("U16", "U16[::-1]"),
                ("I16", "I16[::-1]"),
                ("U8", "3"),
                ("I8", "3"),
            )
        ),
        *(f"{a} {op} {b}" for op in ("<", "==") for a, b in (("U8", "V"), ("V", "I16"))),
    )
)
