//! Messages and large values, each stored once. Empty so far: the attributes of spans hold them.
