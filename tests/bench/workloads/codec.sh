# about: The codec by itself, in memory and on one core: LZ4 and sealing of whole blocks, opening and expanding; and the parts of other calls
scope=codec

reason() { [ -e "$tools/benchmarks/Overlay.Benchmarks.dll" ] || echo "it could not be built"; }

measure() {
    local row unit number
    while read -r row unit number; do value "$row" "$unit" "$number"; done < <(
        dotnet "$tools/benchmarks/Overlay.Benchmarks.dll" "$inputs/text" "$inputs/random")
}
