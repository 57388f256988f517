"""What a person at the desk does with what is known, whether by command or on the page: find an article and read it
again, label it, mute, correct a status, have an alert sent again. Each is one plain function; nothing here asks, prints
or knows who called it.
"""
