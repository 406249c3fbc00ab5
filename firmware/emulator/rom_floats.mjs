// The floating-point functions of the RP2040's boot ROM. Numbers below the smallest normal one count as zero there
// and a NaN as an infinity, as the data sheet says of the real ones.
const float = new Float32Array(1);
const floatBits = new Uint32Array(float.buffer);
const double = new Float64Array(1);
const doubleBits = new Uint32Array(double.buffer);

const INT32 = [-0x80000000, 0x7fffffff];
const UINT32 = [0, 0xffffffff];
const INT64 = [-(1n << 63n), (1n << 63n) - 1n];
const UINT64 = [0n, (1n << 64n) - 1n];
const FLOAT_EXPONENT = 0x7f800000;
const SIGN = 0x80000000;

function toFloat(bits) {
  const exponent = bits & FLOAT_EXPONENT;
  if (exponent === 0) {
    bits &= SIGN;
  } else if (exponent === FLOAT_EXPONENT) {
    bits &= SIGN | FLOAT_EXPONENT;
  }
  floatBits[0] = bits;
  return float[0];
}

function fromFloat(value) {
  float[0] = value;
  return (floatBits[0] & FLOAT_EXPONENT) === 0 ? (floatBits[0] & SIGN) >>> 0 : floatBits[0];
}

function toDouble(low, high) {
  doubleBits[0] = low;
  doubleBits[1] = high;
  return double[0];
}

function limited(value, [lowest, highest]) {
  if (Number.isNaN(value)) {
    return 0;
  }
  return Math.min(highest, Math.max(lowest, value));
}

function limitedBig(value, [lowest, highest]) {
  if (!Number.isFinite(value)) {
    return value > 0 ? highest : value < 0 ? lowest : 0n;
  }
  const whole = BigInt(Math.floor(value));
  return whole < lowest ? lowest : whole > highest ? highest : whole;
}

// The two tables of functions, as offset in the table -> [name, cycles, function of the registers]. Offsets: the
// SDK's headers sf_table.h; cycles: RP2040 data sheet, section 2.8.3.
export function floatFunctions(registers) {
  const storeDouble = (value) => {
    double[0] = value;
    registers[0] = doubleBits[0];
    registers[1] = doubleBits[1];
  };
  const storeBig = (value) => {
    const bits = BigInt.asUintN(64, value);
    registers[0] = Number(bits & 0xffffffffn);
    registers[1] = Number(bits >> 32n);
  };
  const operand = () => toFloat(registers[0]);
  const doubleOperand = () => toDouble(registers[0], registers[1]);
  const bigOperand = () => (BigInt(registers[1]) << 32n) | BigInt(registers[0]);

  const unary = (compute) => () => {
    registers[0] = fromFloat(compute(operand()));
  };
  const binary = (compute) => () => {
    registers[0] = fromFloat(compute(operand(), toFloat(registers[1])));
  };
  const doubleBinary = (compute) => () => {
    storeDouble(compute(doubleOperand(), toDouble(registers[2], registers[3])));
  };
  const toInteger = (limits) => () => {
    registers[0] = limited(Math.floor(operand()), limits);
  };
  const toFixed = (limits) => () => {
    registers[0] = limited(Math.floor(operand() * 2 ** (registers[1] | 0)), limits);
  };
  const doubleToInteger = (limits) => () => {
    registers[0] = limited(Math.floor(doubleOperand()), limits);
  };
  const toBig = (limits) => () => storeBig(limitedBig(operand(), limits));
  const signed = () => registers[0] | 0;
  const unsigned = () => registers[0];
  const fromInteger = (read) => () => {
    registers[0] = fromFloat(read());
  };
  const fromFixed = (read) => () => {
    registers[0] = fromFloat(read() / 2 ** (registers[1] | 0));
  };
  const doubleFromInteger = (read) => () => storeDouble(read());

  return {
    float: new Map([
      [0x00, ['fadd', 71, binary((a, b) => a + b)]],
      [0x04, ['fsub', 74, binary((a, b) => a - b)]],
      [0x08, ['fmul', 69, binary((a, b) => a * b)]],
      [0x0c, ['fdiv', 71, binary((a, b) => a / b)]],
      [0x18, ['fsqrt', 63, unary(Math.sqrt)]],
      [0x1c, ['float2int', 37, toInteger(INT32)]],
      [0x20, ['float2fix', 39, toFixed(INT32)]],
      [0x24, ['float2uint', 38, toInteger(UINT32)]],
      [0x28, ['float2ufix', 38, toFixed(UINT32)]],
      [0x2c, ['int2float', 55, fromInteger(signed)]],
      [0x30, ['fix2float', 53, fromFixed(signed)]],
      [0x34, ['uint2float', 54, fromInteger(unsigned)]],
      [0x38, ['ufix2float', 52, fromFixed(unsigned)]],
      [0x3c, ['fcos', 603, unary(Math.cos)]],
      [0x40, ['fsin', 593, unary(Math.sin)]],
      [0x44, ['ftan', 669, unary(Math.tan)]],
      [0x4c, ['fexp', 542, unary(Math.exp)]],
      [0x50, ['fln', 810, unary(Math.log)]],
      [0x58, ['fatan2', 599, binary(Math.atan2)]],
      // By way of a double, so rounded twice beyond 2^53.
      [0x5c, ['int642float', 55, fromInteger(() => Number(BigInt.asIntN(64, bigOperand())))]],
      [0x64, ['uint642float', 55, fromInteger(() => Number(bigOperand()))]],
      [0x6c, ['float2int64', 55, toBig(INT64)]],
      [0x74, ['float2uint64', 55, toBig(UINT64)]],
      [0x7c, ['float2double', 28, () => storeDouble(operand())]],
    ]),
    double: new Map([
      [0x00, ['dadd', 91, doubleBinary((a, b) => a + b)]],
      [0x04, ['dsub', 95, doubleBinary((a, b) => a - b)]],
      [0x08, ['dmul', 155, doubleBinary((a, b) => a * b)]],
      [0x0c, ['ddiv', 183, doubleBinary((a, b) => a / b)]],
      [0x1c, ['double2int', 40, doubleToInteger(INT32)]],
      [0x24, ['double2uint', 40, doubleToInteger(UINT32)]],
      [0x2c, ['int2double', 69, doubleFromInteger(signed)]],
      [0x34, ['uint2double', 69, doubleFromInteger(unsigned)]],
      [0x7c, ['double2float', 43, () => (registers[0] = fromFloat(doubleOperand()))]],
    ]),
  };
}
