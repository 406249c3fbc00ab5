"""What the build of the rp2 port (Raspberry Pi Pico and Pico 2) needs beside MicroPython's source."""
