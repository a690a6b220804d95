"""What can be wrong with a request to import."""

from protozoo.exceptions import ProtoZooError


class ImportRequestError(ProtoZooError):
    """The import cannot begin; the sentence says which option or file is wrong."""

    code = "import_request"


class ImportBusyError(ProtoZooError):
    """Another import is writing into the same survey."""

    code = "import_busy"
    status = 409
