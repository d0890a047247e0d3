from fastlatent.train.monitoring.progress import terms_text

ONE = {"epoch": 1, "train/autoencoder/loss": 22.04, "train/autoencoder/kl": 20.0, "test/autoencoder/loss": 1.0}


def test_a_line_has_the_training_terms_alone():
    assert terms_text(ONE) == "loss 22  kl 20"


def test_terms_of_several_phases_stand_under_their_names():
    assert (
        terms_text({**ONE, "train/discriminator/loss": 0.5}) == "autoencoder: loss 22  kl 20 | discriminator: loss 0.5"
    )
