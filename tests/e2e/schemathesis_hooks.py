"""What schemathesis does not know by itself: an archive goes out as the bytes that it is."""

import schemathesis

schemathesis.serializer.alias("application/x-tar", "application/octet-stream")
