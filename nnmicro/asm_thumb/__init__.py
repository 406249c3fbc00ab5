"""The int8 layers that take nearly all of the time, in assembler for Arm's Thumb, for boards without `_nnmicro`.

What has no module here, or is not of the usual form, runs in `nnmicro.viper`: see README.md.
"""
