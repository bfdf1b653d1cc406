"""What people read about data and models: pictures, model card, faithfulness of explanations."""
