"""Format of loss terms in the progress display."""

from fastlatent.train.monitoring.progress import format_terms

RECORD = {
    "epoch": 1,
    "train/autoencoder/loss": 22.04,
    "train/autoencoder/kl": 20.0,
    "test/autoencoder/loss": 1.0,
}


def test_line_has_training_terms_only():
    assert format_terms(RECORD) == "loss 22  kl 20"


def test_terms_are_grouped_by_phase():
    assert (
        format_terms({**RECORD, "train/discriminator/loss": 0.5})
        == "autoencoder: loss 22  kl 20 | discriminator: loss 0.5"
    )
