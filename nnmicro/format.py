"""The constants of the `.nnm` model file, for the writer on the host and the reader in the engine.

`FORMAT.md` beside this file specifies every byte. All integers are little-endian int32 words; fields that Python reads
during an inference stay below 2**30, so that reading one allocates nothing on a 32-bit board.
"""

MAGIC = b"NNM\x1a"
VERSION = 1
ALIGNMENT = 16  # of every section, and of every constant inside the weights

# Header words
HEADER_WORDS = 32
H_MAGIC = 0
H_VERSION = 1
H_FILE_BYTES = 2
H_ALIGNMENT = 3
H_SECTIONS = 4
H_BLOBS = 5
H_CONSTANTS = 6
H_LAYERS = 7
H_INPUTS = 8
H_OUTPUTS = 9
H_OPS = 10
H_ARENA_BYTES = 11
H_LIVE_PEAK = 12
H_LOWER_BOUND = 13
H_LIGHTMODE_OFF = 14
H_MAX_OPERANDS = 15
H_MAX_BLOCKS = 16
H_PLAN_FLAGS = 17
H_CRC = 31

PLAN_OPTIMAL = 1

# Section table: SECTION_WORDS for each section, right after the header
SECTION_WORDS = 4
S_KIND = 0
S_OFFSET = 1
S_BYTES = 2
S_CRC = 3

KIND_MASK = 0xFF
OPTIONAL = 0x100  # an engine that does not know the kind may pass over it
LAZY = 0x200  # the checksum is compared on demand, not at load

BLOBS = 1
LAYERS = 2
OPERANDS = 3
PARAMS = 4
SHAPES = 5
IO = 6
OPS = 7
NAMES = 8
FUSED = 9
LABELS = 10
WEIGHTS = 11
QUANTISATION = 12
PREPROCESSING = 13
GOLDEN = 14
STEPS = 15
SOURCE = 16

SECTION_NAMES = (
    "", "blobs", "layers", "operands", "params", "shapes", "io", "ops", "names", "fused", "labels", "weights",
    "quantisation", "preprocessing", "golden", "steps", "source",
)  # fmt: skip
LAST_KIND = SOURCE  # of those that this engine reads; and what it must find:
NEEDED = (BLOBS, LAYERS, OPERANDS, PARAMS, SHAPES, IO, OPS, WEIGHTS)

# Blob record: the blobs that inference computes or is given first, then the constants
BLOB_WORDS = 16
B_TYPE = 0  # dtype | rank << 8 | order << 16
B_FLAGS = 1
B_BYTES = 2
B_C = 3
B_H = 4
B_W = 5
B_CSTEP = 6  # bytes between channels, rows and pixels
B_RSTEP = 7
B_PSTEP = 8
B_ROWS = 9  # h: blobs are whole, but see STEPS
B_PLACE = 10  # planned offset in the frame, or -1; of a view its offset in its owner, of a constant in the weights
B_SHAPE = 11  # index of the first of `rank` words in the shapes
B_PRODUCER = 12  # layer, or -1 for an input or a constant
B_QUANT = 13  # index in the quantisation section, or -1
B_PACKING = 14  # of a constant; 0: canonical
B_OWNER = 14  # of a blob: 0, or 1 + the blob in whose block it lies
B_NAME = 15  # byte offset in the names, or -1

INPUT = 1
OUTPUT = 2
STATE = 4

MAX_RANK = 6
ORDER_CHW = 0  # the source's last axes are c, h, w
ORDER_HWC = 1  # the source's last axes are h, w, c

# A record of the quantisation section
Q_AXIS = 0  # -1: one scale and zero point for the whole blob
Q_COUNT = 1
Q_SCALES = 2  # float32 bits, then as many zero points

# Layer record, in planned order
LAYER_WORDS = 12
L_OP = 0
L_FLAGS = 1
L_OPERANDS = 2  # index of the first operand: inputs, then outputs
L_INPUTS = 3
L_OUTPUTS = 4
L_PARAMS = 5
L_PARAM_COUNT = 6
L_NAME = 7
L_WORKSPACE = 8
L_WORKSPACE_PLACE = 9

# The section of steps: a header, then for each blob, for each layer, for each step
T_FRAME = 0
T_LIVE_PEAK = 1
T_STEPS = 2
T_FED = 3  # bit k: input k is given by rows
STEPS_HEADER_WORDS = 4
PLACE_WORDS = 3  # offset, rows held, phase
STATE_WORDS = 2  # offset and bytes of what a reduction keeps, or -1 and 0
STEP_WORDS = 3  # layer (-1 - k: rows of input k are taken), first row, rows

# Preprocessing: the number of records, the records, then what they point to
PREPROCESSING_WORDS = 4
R_BLOB = 0
R_KIND = 1
R_FACTORS = 2  # 1, or one for each channel
R_VALUES = 3  # index in the section: means, scales, and for an integer blob the tables
TABLE_WORDS = 64  # an element for each byte

KIND_BYTES = 1  # an unsigned byte for each element, in the source's order

SHARE = 1  # the output is in the input's block: under another shape, or a part of it
IN_PLACE = 2  # the output may take the place of input 0 when that has no other reader
OVER = 4  # input 0 is a view that reaches out of the output, which is written over it
