"""How good interpolations are: against the right answer where it is known, and by the prior."""

import math

from ...latent import linear, realism_index_normal, spherical
from ...priors import Normal
from ..evaluated_model import EvaluatedModel
from .lines import line_distance, smoothness
from .result import MetricResult

PAIRS, STEPS = 256, 16  # paths and their points, as in the code of Berthelot et al. 2018

DISTANCE = "Mean distance of interpolations to the closest line, {} paths of {} images"
SMOOTHNESS = "Smoothness of interpolations between lines, {} paths of {} images"
REALISM = "Realism index under the prior, mean over codes (1/2 for draws of the prior)"


def lines(subject: EvaluatedModel) -> list[MetricResult]:
    """Mean distance and smoothness of straight interpolations, beside those of fading from image to image.

    The mean smoothness is over paths whose ends differ in angle; where none do there is no such number.

    Source: Berthelot et al. 2018, "Understanding and improving interpolation in autoencoders via an adversarial
    regularizer", section 3.
    """
    made = subject.decode(subject.paths(PAIRS, STEPS))
    count = len(made)
    start, end = (x.flatten(1) for x in (subject.test.x[:count], subject.test.x[count : 2 * count]))
    faded = linear(start, end, STEPS).view_as(made)
    found = {}
    for of, images in {"this model": made, "fading from image to image": faded}.items():
        distance, angles = line_distance(images)
        found[of] = float(distance.mean()), float(smoothness(angles).nanmean())
    groups = (DISTANCE, SMOOTHNESS)
    return [
        MetricResult(group.format(count, STEPS), of, values[place], ours=of == "this model")
        for place, group in enumerate(groups)
        for of, values in found.items()
        if not math.isnan(values[place])
    ]


def realism(subject: EvaluatedModel) -> list[MetricResult]:
    """The mean realism index along paths between codes, beside that of the codes and of paths between draws.

    Raises:
        TypeError: if the prior is no isotropic Gaussian.

    Source: Struski et al. 2019, "Realism index: interpolation in generative models with arbitrary prior".
    """
    prior = subject.model.prior
    if not isinstance(prior, Normal):
        raise TypeError(f"the realism index is known of a Gaussian prior; got {prior}")
    pairs = min(PAIRS, len(subject.codes) // 2)
    start, end = subject.codes[:pairs], subject.codes[pairs : 2 * pairs]
    drawn = subject.prior
    found = {
        "straight lines between codes of this model": linear(start, end, STEPS),
        "spherical paths between codes of this model": spherical(start, end, STEPS),
        "codes of this model": subject.codes,
        "straight lines between draws of the prior": linear(drawn[0][:pairs], drawn[1][:pairs], STEPS),
    }
    return [
        MetricResult(REALISM, of, float(realism_index_normal(z, prior.std).mean()), "this model" in of, "larger")
        for of, z in found.items()
    ]
