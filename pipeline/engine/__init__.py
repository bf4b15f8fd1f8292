"""Steps and how they run: staleness, receipts, the runner, process pools and Dask, locks, files, drafts, progress.

Knows nothing of podcasts.
"""

from pipeline.engine import progress
from pipeline.engine.dask_cluster import DaskCluster
from pipeline.engine.drafts import add_stamp, has_stamp, is_unedited_draft
from pipeline.engine.file_cache import DigestCache, FileCache, source_signature
from pipeline.engine.files import read_json, read_text, sha256, to_json, write_atomic, write_json
from pipeline.engine.forecast import preview
from pipeline.engine.locks import exclusive_lock
from pipeline.engine.process_pool import ProcessPools, available_cores
from pipeline.engine.progress import report
from pipeline.engine.runner import Result, run_steps
from pipeline.engine.step import Step, with_dependencies

__all__ = [
    "DaskCluster",
    "DigestCache",
    "FileCache",
    "ProcessPools",
    "Result",
    "Step",
    "add_stamp",
    "available_cores",
    "exclusive_lock",
    "has_stamp",
    "is_unedited_draft",
    "preview",
    "progress",
    "read_json",
    "read_text",
    "report",
    "run_steps",
    "sha256",
    "source_signature",
    "to_json",
    "with_dependencies",
    "write_atomic",
    "write_json",
]
