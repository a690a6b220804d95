"""The three roles and what each may do; migration 0002 writes them into the database."""

from typing import Final

VOLUNTEER: Final = "volunteer"
SCIENTIST: Final = "scientist"
ADMIN: Final = "admin"

PERMISSIONS_OF_ROLE: Final = {
    VOLUNTEER: ("classify",),
    SCIENTIST: ("classify", "review"),
    ADMIN: ("classify", "review", "operate"),
}
