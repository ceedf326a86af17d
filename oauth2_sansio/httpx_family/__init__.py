"""What the adapters for httpx and httpx2 share: written once, for any library of that shape.

Nothing here imports either library. Each adapter hands in its own as a `Library`, and its classes
inherit from the clients here and from the clients of its library.
"""
