"""What is handed out: the wheel, firmware images, native modules, and packages for `mpremote mip install`."""
