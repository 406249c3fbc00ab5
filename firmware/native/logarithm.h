#ifndef NN_LOGARITHM_H
#define NN_LOGARITHM_H

// Of x > 0, or what is no finite number, which it gives back.
float nn_log(float x);

#endif
