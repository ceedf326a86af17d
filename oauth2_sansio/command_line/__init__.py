"""What `python -m oauth2_sansio` does, and two drivers to read.

`over_urllib` is the shortest complete driver that there is: copy it for an HTTP library of yours.
"""
