using System;
using System.Diagnostics;
using System.Globalization;
using System.IO;
using Overlay.Crypto;
using Overlay.Files;
using Overlay.Tests.Doubles;
using Xunit;

namespace Overlay.Tests.Files;

/// <summary>
/// What SealedFile writes is what docs/format.md says: a decoder in another language, on another crypto library, reads it
/// (tests/decoder/decode.mjs), and reads the vectors that were written by an earlier version (tests/vectors).
/// </summary>
public sealed class DecoderTests
{
    private static readonly string s_root = FindRoot();

    [Theory]
    [InlineData("empty", 0)]
    [InlineData("inline-raw", 1000)]
    [InlineData("inline-lz4", 9000)]
    [InlineData("one-block", 16384)]
    [InlineData("indexed", 50_000)]
    [InlineData("second-group", 600_000)]
    [InlineData("holes", 3_000_000)]
    [InlineData("rewritten", 70_000)]
    [InlineData("units", 36_000)]
    [InlineData("bases", 69_000)]
    [InlineData("pieces", 53_248)]
    [InlineData("rekeyed", 70_000)]
    [InlineData("two-keys", 70_001)]
    [InlineData("two-keys-in-groups", 600_000)]
    public void Files_are_read_by_the_independent_decoder(string scenario, int size)
    {
        var fixture = SealedFixture.Create(new Recipe(CipherSuite.Aes256Gcm, true, 14));
        using var file = fixture.Open();
        var plain = new byte[size];
        var random = new Random(size);
        if (scenario == "inline-lz4")
            plain.AsSpan().Fill((byte)'a');
        else
            random.NextBytes(plain);
        if (scenario == "bases")
            plain.AsSpan(16_384, 20_000).Fill(3);
        if (scenario == "holes")
            plain.AsSpan(20_000, 2_000_000).Clear();
        if (scenario == "holes")
        {
            file.WriteAt(0, plain.AsSpan(0, 20_000));
            file.WriteAt(2_020_000, plain.AsSpan(2_020_000));
        }
        else if (scenario == "pieces")
        {
            for (var offset = 0; offset < size; offset += 4096)
                file.WriteAt(offset, plain.AsSpan(offset, 4096));
        }
        else if (size > 0)
        {
            file.WriteAt(0, plain);
        }
        if (scenario == "rewritten")
        {
            file.Sync(true);
            plain.AsSpan(5_000, 30_000).Fill(7);
            file.WriteAt(5_000, plain.AsSpan(5_000, 30_000));
        }
        foreach (var start in scenario == "units" ? [17_000, 30_000, 17_200, 35_000] : Array.Empty<int>())
        {
            plain.AsSpan(start, 700).Fill((byte)start);
            file.WriteAt(start, plain.AsSpan(start, 700));
            file.Sync(true);
        }
        // One block has one unit of its own, one two, one four; some are compressed.
        foreach (var start in scenario == "bases" ? [5_000, 16_384, 16_384 + 12_288, 16_384 + 500, 32_768, 36_864, 40_960, 45_056] : Array.Empty<int>())
        {
            var part = plain.AsSpan(start, start % 4096 == 0 ? 4096 : 100);
            part.Fill((byte)(start / 77));
            file.WriteAt(start, part);
        }
        if (scenario == "rekeyed")
            file.Rekey(SealedFixture.NextKey);
        if (scenario.StartsWith("two-keys", StringComparison.Ordinal))
            plain = LeaveHalfRekeyed(file, plain);
        file.Settle();

        Assert.True(Decode(fixture.Backing, out var decoded, out var error), error);
        Assert.Equal(plain, decoded);
        if (Environment.GetEnvironmentVariable("OVERLAY_WRITE_VECTORS") is { Length: > 0 } directory && size <= 70_001)
            WriteVector(Directory.CreateDirectory(Path.Combine(directory, scenario)).FullName, fixture.Backing, plain);
    }

    /// <summary>Of several groups the first is resealed; of one that is all there is what was written meanwhile: blocks, and one in units.</summary>
    private static byte[] LeaveHalfRekeyed(SealedFile file, byte[] plain)
    {
        var walk = file.StartRekey(SealedFixture.NextKey);
        if (plain.Length > 29 * 16384)
        {
            file.Reseal(walk);
            return plain;
        }
        foreach (var (start, count) in new[] { (16384, 16384), (40_000, 700) })
        {
            plain.AsSpan(start, count).Fill((byte)(start / 100));
            file.WriteAt(start, plain.AsSpan(start, count));
        }
        return plain;
    }

    [Theory]
    [InlineData(60, "header")]
    [InlineData(265, "record of group 0")]
    [InlineData(400, "block 0")]
    [InlineData(12288 + 100, "block 0")]
    public void Changed_bytes_are_refused_by_the_independent_decoder(int offset, string expected)
    {
        var fixture = SealedFixture.Create(new Recipe(CipherSuite.Aes256Gcm, false, 14));
        using var file = fixture.Open();
        var plain = new byte[50_000];
        new Random(1).NextBytes(plain);
        file.WriteAt(0, plain);
        var one = new byte[1];
        fixture.Backing.Read(offset, one);
        one[0] ^= 1;
        fixture.Backing.Write(offset, one);

        Assert.False(Decode(fixture.Backing, out _, out var error));
        Assert.Contains(expected, error, StringComparison.Ordinal);
    }

    [Fact]
    public void Vectors_of_version_1_open_for_ever()
    {
        var folders = Directory.GetDirectories(Path.Combine(s_root, "tests/vectors/v1"));
        Assert.NotEmpty(folders);
        foreach (var folder in folders)
        {
            var backing = new MemoryBacking();
            backing.Write(0, File.ReadAllBytes(Path.Combine(folder, "stored")));
            backing.SetLength(long.Parse(File.ReadAllText(Path.Combine(folder, "length")), CultureInfo.InvariantCulture));
            var plain = File.ReadAllBytes(Path.Combine(folder, "plain"));
            using var file = new SealedFixture(new Recipe(CipherSuite.Aes256Gcm, true, 14), backing).Open();
            Assert.Equal(plain.Length, file.Length);
            Assert.Equal(plain, file.ReadBytes(0, plain.Length));
            Assert.True(Decode(backing, out var decoded, out var error), error);
            Assert.Equal(plain, decoded);
        }
    }

    /// <summary>A backing file ends in zeros that need not be kept: its length says how many.</summary>
    private static void WriteVector(string directory, MemoryBacking backing, byte[] plain)
    {
        var stored = new byte[backing.Length];
        backing.Read(0, stored);
        File.WriteAllBytes(Path.Combine(directory, "stored"), stored[..(stored.AsSpan().LastIndexOfAnyExcept((byte)0) + 1)]);
        File.WriteAllText(Path.Combine(directory, "length"), stored.Length.ToString(CultureInfo.InvariantCulture));
        File.WriteAllBytes(Path.Combine(directory, "plain"), plain);
    }

    private static bool Decode(MemoryBacking backing, out byte[] plain, out string error)
    {
        var path = Path.GetTempFileName();
        try
        {
            var stored = new byte[backing.Length];
            backing.Read(0, stored);
            File.WriteAllBytes(path, stored);
            var info = new ProcessStartInfo("node", [Path.Combine(s_root, "tests/decoder/decode.mjs"), path, Convert.ToHexStringLower(SealedFixture.SecretKey), Convert.ToHexStringLower(SealedFixture.NextKey)])
            {
                RedirectStandardOutput = true, RedirectStandardError = true,
            };
            using var process = Process.Start(info)!;
            var errors = process.StandardError.ReadToEndAsync();
            using var output = new MemoryStream();
            process.StandardOutput.BaseStream.CopyTo(output);
            process.WaitForExit();
            plain = output.ToArray();
            error = errors.Result;
            return process.ExitCode == 0;
        }
        finally
        {
            File.Delete(path);
        }
    }

    private static string FindRoot()
    {
        var directory = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(directory.FullName, "Overlay.sln")))
            directory = directory.Parent ?? throw new DirectoryNotFoundException("no Overlay.sln above the tests");
        return directory.FullName;
    }
}
