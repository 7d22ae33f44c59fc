using System.Collections.Generic;
using System.Globalization;
using System.IO;
using System.Linq;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.RegularExpressions;
using Overlay.Crypto;
using Overlay.Files;
using Overlay.Format;
using Xunit;

namespace Overlay.Shim.Tests;

/// <summary>Facts that stand in C and in C#: they agree by proof (style 12).</summary>
public sealed class AgreementTests
{
    [Fact]
    public void Exports_are_those_that_the_filter_declares()
    {
        var declared = Regex.Matches(Tree.Read("shim/native/engine.h"), @"^    X\(\w+, (\w+),", RegexOptions.Multiline).Select(match => match.Groups[1].Value);
        var exported = Regex.Matches(Tree.Read("shim/Exports.cs"), "EntryPoint = \"overlay_engine_(\\w+)\"").Select(match => match.Groups[1].Value);
        Assert.Equal(declared, exported);
        Assert.NotEmpty(exported);
    }

    [Theory]
    [InlineData("OVERLAY_PAGE_SIZE", FormatConstants.PageSize)]
    [InlineData("OVERLAY_GROUP_BLOCKS", FormatConstants.GroupBlocks)]
    [InlineData("OVERLAY_INLINE_OFFSET", FormatConstants.InlineOffset)]
    public void Format_constants_of_the_filter_are_the_engines(string name, int value)
    {
        var match = Regex.Match(Tree.Read("shim/native/format.h"), $@"#define {name} (\d+)");
        Assert.Equal(value, int.Parse(match.Groups[1].Value, CultureInfo.InvariantCulture));
    }

    [Fact]
    public void Libsodium_that_is_linked_is_the_one_that_NSec_brings()
    {
        var linked = Regex.Match(Tree.Read("shim/liboverlay-engine.csproj"), "<LibsodiumVersion>(.*)</LibsodiumVersion>").Groups[1].Value;
        var assets = Tree.Read("overlay/obj/project.assets.json");
        Assert.Contains($"\"libsodium/{linked}\"", assets, System.StringComparison.Ordinal);
    }

    /// <summary>The filter reads the block cache that the engine fills.</summary>
    [Fact]
    public unsafe void Cache_is_laid_out_alike_in_C()
    {
        using var directory = new TemporaryDirectory();
        var source = new StringBuilder("#include <stddef.h>\n#include \"block_cache.h\"\n");
        void Claim(string what, long value) => source.Append(CultureInfo.InvariantCulture, $"_Static_assert({what} == {value}, \"{what}\");\n");
        void Fields<T>(string type, params (string InC, string InCSharp)[] fields) where T : unmanaged
        {
            Claim($"sizeof(struct {type})", sizeof(T));
            foreach (var (inC, inCSharp) in fields)
                Claim($"offsetof(struct {type}, {inC})", (long)Marshal.OffsetOf<T>(inCSharp));
        }
        Claim("CACHE_WAYS", CacheSet.Ways);
        Claim("CACHE_SLICE_SIZE_LOG2", BlockCache.SliceSizeLog2);
        Claim("sizeof ((struct cache_set *)0)->key[0]", 2 * sizeof(long));
        Fields<CacheTable>("cache_table", ("frames", "Frames"), ("sets", "Sets"), ("sets_log2", "SetsLog2"), ("way_log2", "WayLog2"));
        Fields<CacheSet>("cache_set", ("version", "Version"), ("was_used", "WasUsed"), ("length", "Length"), ("key", "Keys"), ("evicted", "Evicted"));
        Fields<CachedFileData>("cached_file", ("version", "Version"), ("valid_word", "ValidWord"), ("word", "Word"), ("live_word", "LiveWord"), ("stamp", "Stamp"),
            ("size", "Size"), ("slice_size_log2", "SliceSizeLog2"), ("fork_count", "ForkCount"), ("offset", "Offset"));
        source.Append("int main(void) { return 0; }\n");
        var program = Path.Combine(directory.Path, "layout");
        File.WriteAllText(program + ".c", source.ToString());
        Tree.Run("gcc", "-I", Path.Combine(Tree.Root, "shim/native"), "-o", program, program + ".c");
    }

    /// <summary>The filter counts beside the engine.</summary>
    [Fact]
    public unsafe void Counters_are_laid_out_alike_in_C()
    {
        using var directory = new TemporaryDirectory();
        var program = Path.Combine(directory.Path, "counters");
        File.WriteAllText(program + ".c", string.Create(CultureInfo.InvariantCulture, $$"""
            #include <stddef.h>
            #include "counters.h"
            struct process_counters *overlay_counters;
            _Static_assert(sizeof(struct process_counters) == {{sizeof(ProcessCounters)}}, "size");
            _Static_assert(sizeof(struct process_counters) == {{ProcessCounters.Size}}, "size as it is said");
            _Static_assert(offsetof(struct process_counters, is_taken) == {{(long)Marshal.OffsetOf<ProcessCounters>("IsTaken")}}, "is_taken");
            _Static_assert(offsetof(struct process_counters, stripe) == {{ProcessCounters.StripesOffset}}, "stripes");
            _Static_assert(COUNTER_STRIPES == {{ProcessCounters.Stripes}} && sizeof overlay_counters->stripe[0] == {{ProcessCounters.StripeSize}}, "stripe");
            _Static_assert(offsetof(struct process_counters, stripe[0].hits) == {{ProcessCounters.StripesOffset}}, "hits");
            _Static_assert(offsetof(struct process_counters, stripe[0].bytes) == {{ProcessCounters.StripesOffset + 8}}, "bytes");
            _Static_assert({{(long)Marshal.OffsetOf<ProcessCounters>("AgentRetries")}} < {{ProcessCounters.StripesOffset}}, "the engine's end before the stripes");
            int main(void) { return 0; }
            """));
        Tree.Run("gcc", "-I", Path.Combine(Tree.Root, "shim/native"), "-o", program, program + ".c");
    }

    [Fact]
    public void Slices_are_looked_for_alike_in_C()
    {
        var inC = Regex.Match(Tree.Read("shim/native/block_cache.h"), @"\(uint64_t\)slice \+ \(\(uint64_t\)\(stamp \+ \(slice >> sets_log2\)\) \* (0x[0-9A-F]+)u >> 32\)").Groups[1].Value;
        var inCSharp = Regex.Match(Tree.Read("overlay/Files/BlockCache.cs"), @"slice \+ \(long\)\(\(ulong\)\(stamp \+ \(slice >> setsLog2\)\) \* (0x[0-9A-F]+) >> 32\)").Groups[1].Value;
        Assert.NotEmpty(inC);
        Assert.Equal(inC, inCSharp);
    }

    [Fact]
    public void Settled_sizes_are_decoded_alike_in_C()
    {
        using var directory = new TemporaryDirectory();
        var cases = new List<(long Stored, int BlockSizeLog2)>();
        foreach (var log2 in new[] { 12, 14, 20 })
        {
            var geometry = new Geometry(log2);
            foreach (var size in new long[] { 0, 1, 3584, 3585, 4096, geometry.BlockSize, geometry.GroupSize - 1, geometry.GroupSize, geometry.GroupSize + 1, 1L << 40 })
            {
                cases.Add((SettledSize.Encode(geometry, size, isInlineRaw: true), log2));
                cases.Add((SettledSize.Encode(geometry, size, isInlineRaw: false), log2));
            }
            cases.AddRange(new long[] { 0, 1, 511, 512, 4096, 4097, 4098, geometry.GroupStride, geometry.GroupStride - 1, geometry.GroupStride * 2 - 1 }.Select(stored => (stored, log2)));
        }
        var source = new StringBuilder("#include <stdio.h>\n#include \"settled_size.h\"\nint main(void) {\n");
        foreach (var (stored, log2) in cases)
            source.Append(CultureInfo.InvariantCulture, $"printf(\"%ld\\n\", (long)settled_size({stored}L, {1 << log2}));\n");
        source.Append("return 0; }\n");
        var program = Path.Combine(directory.Path, "sizes");
        File.WriteAllText(program + ".c", source.ToString());
        Tree.Run("gcc", "-I", Path.Combine(Tree.Root, "shim/native"), "-o", program, program + ".c");

        var decoded = Tree.Run(program).Split('\n', System.StringSplitOptions.RemoveEmptyEntries).Select(line => long.Parse(line, CultureInfo.InvariantCulture));

        Assert.Equal(cases.Select(item => SettledSize.Decode(new Geometry(item.BlockSizeLog2), item.Stored)), decoded);
    }
}
