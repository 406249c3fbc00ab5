"""The emulator of the Raspberry Pi Pico: a program for Node.js around the package rp2040js."""
