"""A shop of two services: ``web`` speaks HTTP, ``stock`` knows what there is. ``test_shop.py`` tests both."""
