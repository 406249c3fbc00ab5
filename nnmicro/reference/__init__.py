"""The layers in plain Python: the obvious computation, which every other backend is proven against.

One module a layer, imported when a model needs it: see README.md.
"""
