"""The provenance and licence of the weights that ship with Lifemask."""

SHIPPED = {
    "learned from": "Lifemask's own renders of synthetic people; no photograph, nobody real",
    "licence": (
        "Apache-2.0; the people's head shapes are drawn from ICT-FaceKit, "
        "MIT, USC Institute for Creative Technologies 2020"
    ),
}
"""What the header of each of their files says."""
