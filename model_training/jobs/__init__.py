"""Jobs on SageMaker: train, tune, score files of reviews, and bring the model back."""
