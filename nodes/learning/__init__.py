"""Training: one trainer, its data, augmentation and losses."""
