"""Every label, annotation, condition, reason and path that the operator writes, in one place."""

from __future__ import annotations

GROUP = "reflow.dev"
VERSION = "v1alpha1"
API_VERSION = f"{GROUP}/{VERSION}"
FLOWRUNS = "flowruns"
RESUMES = "resumes"

# Labels of a Pod. Their values must be valid label values; what isn't is hashed (see pods.label_value).
LABEL_MANAGED_BY = "app.kubernetes.io/managed-by"
MANAGED_BY = "reflow"
LABEL_RUN = f"{GROUP}/run"  # the FlowRun's name
LABEL_RUN_UID = f"{GROUP}/run-uid"  # what the operator itself selects by
LABEL_FLOW = f"{GROUP}/flow"
LABEL_STEP = f"{GROUP}/step"
LABEL_TASK = f"{GROUP}/task"  # the task's id within its step
LABEL_OP = f"{GROUP}/op"  # OP_TASK or OP_GRAPH
OP_TASK = "task"
OP_GRAPH = "graph"
POD_SELECTOR = f"{LABEL_MANAGED_BY}={MANAGED_BY},{LABEL_RUN_UID}"

# Annotations.
ANNOTATION_TASK = f"{GROUP}/task"  # on a Pod: key, attempt and launch as JSON, exactly
ANNOTATION_PATHSPEC = f"{GROUP}/pathspec"  # on a Pod, for people: Flow/run/step/task
ANNOTATION_RUN_AGAIN = (
    f"{GROUP}/run-again"  # on a FlowRun: run, even if the same spec has run under this name
)

FINALIZER = f"{GROUP}/run-end"
FINALIZER_PATIENCE = 60.0  # seconds after a deletion until the finalizer lets go whatever happens

SECRET_NAME = "reflow-store"
SECRET_PATH = "/var/run/secrets/reflow.dev/store"
SECRETS_PATH = "/var/run/secrets/reflow.dev/named"  # a folder for each Secret that @secrets names
RUNTIME_PATH = "/opt/reflow"  # where the runtime's image, or a copy of its folder, is mounted
RUNTIME_FOLDER = "reflow"  # the folder in that image which belongs on PYTHONPATH
WORK_PATH = "/work/reflow"
CONTAINER = "task"

# Condition types beside those in reflow.manifests.types.ConditionType.
PODS_READY = "PodsReady"  # false while Pods are refused, or can't get going


class Reason:
    """Reasons of conditions and Events, CamelCase as Kubernetes wants them."""

    # A run's end.
    SUCCEEDED = "Succeeded"
    TASK_FAILED = "TaskFailed"
    CANCELLED = "Cancelled"
    DELETED = "Deleted"
    DEADLINE = "DeadlineExceeded"
    # Why a run can't begin: final.
    INVALID_SPEC = "InvalidSpec"
    INVALID_CODE = "InvalidCode"
    INVALID_PARAMETERS = "InvalidParameters"
    INVALID_POD = "InvalidPodTemplate"
    ORIGIN_NOT_FOUND = "OriginNotFound"
    ORIGIN_RUNNING = "OriginStillRunning"
    NAME_TAKEN = "NameTaken"
    NEWER_FORMAT = "NewerFormat"
    RUN_GONE = "RunGone"
    # What holds a run up: tried again.
    STORE_UNAVAILABLE = "StoreUnavailable"
    STORE_REFUSED = "StoreRefused"
    STORE_UNSUITABLE = "StoreUnsuitable"
    STORE_MISSING = "StoreSecretMissing"
    PODS_REFUSED = "PodsRefused"
    POD_STUCK = "PodStuck"
    # Progress.
    CREATED = "Created"
    STARTED = "Started"
    CLONED = "TasksReused"
    AGAIN = "TasksRunAgain"
    RETRIED = "TaskRetried"
    SUSPENDED = "Suspended"
    NOT_SUSPENDED = "Continued"
    NOT_BLOCKED = "NothingInTheWay"
