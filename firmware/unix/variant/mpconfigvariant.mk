# Nothing beyond the port's defaults: what is left out is given on make's command line by firmware/unix_port.py.
