// Circular functions in single precision: absolute error below 3e-7 (sine and cosine of any number, arctangent) or, of the
// tangent, relative error below 1e-6. Of an infinity: no number.

#ifndef NN_CIRCULAR_H
#define NN_CIRCULAR_H

float nn_sine(float x, int quarter_turns); // of x + quarter_turns * pi / 2
float nn_tangent(float x);
float nn_arc_tangent(float x);

#endif
