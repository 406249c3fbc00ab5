// What the program that counts needs of the machine that it runs on.

#include <stdint.h>

void machine_print(const char *text);

// Executed so far, exact where QEMU runs with -icount shift=7.
uint32_t machine_instructions(void);

int main(void);
