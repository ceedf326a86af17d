"""`python -m oauth2_sansio`: see `oauth2_sansio.command_line`."""

import sys

if sys.version_info < (3, 11):  # noqa: UP036 - to say so is what this line is for
    print("oauth2_sansio needs Python 3.11 or newer: call it with that one.", file=sys.stderr)  # noqa: T201 - it talks to a person
    sys.exit(2)

from oauth2_sansio.command_line.main import main

sys.exit(main())
