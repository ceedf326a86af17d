"""The vocabulary of Authlib's clients, on top of the strict one and still without I/O.

An adapter's class inherits from its HTTP library's session or client and from `Vocabulary` here (by
way of its blocking or asynchronous half). What a call means is decided here, once; the adapter sends.
"""
