"""What jobs want to know of a deployed stack."""

from __future__ import annotations

from dataclasses import dataclass

from model_training.jobs.cloud import AbsentError, Cloud, JobError, Place


@dataclass(frozen=True)
class Stack:
    """A stack of template.yaml, as CloudFormation describes it."""

    name: str
    parameters: dict[str, str]
    outputs: dict[str, str]

    def output(self, name: str) -> str:
        """The output of that name.

        Raises:
            JobError: there is none, so this is another stack or one that is not made yet.
        """
        if name not in self.outputs:
            raise JobError(f"the stack {self.name!r} has no output {name}; deploy it again")
        return self.outputs[name]

    def check_place(self, place: Place) -> None:
        """See that the model may read and write where the job's files are.

        Raises:
            JobError: it may not; SageMaker would say so once the machine has started.
        """
        allowed = self.parameters.get("JobsBucket", ""), self.parameters.get("JobsPrefix", "")
        if allowed != (place.bucket, place.prefix):
            raise JobError(
                f"the model of the stack {self.name!r} may not read {place.uri('')}: deploy with "
                f"--parameter-overrides JobsBucket={place.bucket} JobsPrefix={place.prefix}"
            )


def find_stack(cloud: Cloud, name: str) -> Stack:
    """The stack of that name.

    Raises:
        JobError: there is none.
    """
    try:
        [found] = cloud.read("cloudformation", "describe_stacks", StackName=name)["Stacks"]
    except AbsentError:
        raise JobError(f"no stack {name!r} in {cloud.region}; pass --stack or --region") from None
    parameters = {p["ParameterKey"]: p.get("ParameterValue", "") for p in found["Parameters"]}
    outputs = {o["OutputKey"]: o["OutputValue"] for o in found.get("Outputs", ())}
    return Stack(name, parameters, outputs)
