# about: A program that touches no volume: what the filter costs it
scope=untouched

measure() {
    rows untouched "$inputs/text"
    timed untouched-start-true $((times * 3)) /bin/true
}
