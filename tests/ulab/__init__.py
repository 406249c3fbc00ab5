"""What tests of the vector backend need of ulab: a strict stand-in for it on the host, and a device that has it."""
