using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.Globalization;
using System.IO;
using System.Linq;
using Iced.Intel;
using Xunit;

namespace Overlay.Shim.Tests;

/// <summary>What the patcher did to the libc of this machine, read out of a process that runs with it.</summary>
public sealed class PatchTests
{
    private const int JumpLength = 5;

    [Fact]
    public void Patched_sites_are_whole_instructions_that_no_jump_enters()
    {
        using var directory = new TemporaryDirectory();
        var text = ReadPatchedLibc(directory.Path, out var original, out var address);
        var starts = new HashSet<ulong>();
        var targets = new HashSet<ulong>();
        Decode(original, address, starts, targets);

        var patches = FindPatches(original, text);

        Assert.InRange(patches.Count, 100, 600);
        foreach (var patch in patches)
        {
            var site = address + (ulong)patch;
            Assert.True(text[patch] == 0xE9, $"{site:x}: not a jump");
            Assert.True(starts.Contains(site), $"{site:x}: not the start of an instruction");
            var end = site + JumpLength;
            while (!starts.Contains(end))
                end++;
            for (var inside = site + 1; inside < end; inside++)
                Assert.False(targets.Contains(inside), $"{site:x}: a jump enters the patch at {inside:x}");
        }
    }

    [Fact]
    public void Read_and_write_of_libc_are_patched()
    {
        using var directory = new TemporaryDirectory();
        var text = ReadPatchedLibc(directory.Path, out var original, out _);

        // xor %eax,%eax; syscall (read) and mov $1,%eax; syscall (write): no such site may be left as it was.
        Assert.True(CountOf(original, [0x31, 0xC0, 0x0F, 0x05]) > 0);
        Assert.Equal(0, CountOf(text, [0x31, 0xC0, 0x0F, 0x05]));
        Assert.True(CountOf(original, [0xB8, 1, 0, 0, 0, 0x0F, 0x05]) > 0);
        Assert.Equal(0, CountOf(text, [0xB8, 1, 0, 0, 0, 0x0F, 0x05]));
    }

    [Fact]
    public void Libcs_text_is_not_writable_afterwards()
    {
        using var directory = new TemporaryDirectory();
        using var process = Start(directory.Path);
        var lines = File.ReadAllLines($"/proc/{process.Id}/maps").Where(line => line.Contains("libc.so", StringComparison.Ordinal)).ToList();
        process.Kill();
        Assert.Contains(lines, line => line.Contains("r-xp", StringComparison.Ordinal));
        Assert.DoesNotContain(lines, line => line.Contains("wxp", StringComparison.Ordinal));
    }

    [Fact]
    public void Ls_runs_a_thousand_times_without_a_hang()
    {
        using var directory = new TemporaryDirectory();
        var info = new ProcessStartInfo("timeout", ["60", "bash", "-c", "for i in $(seq 1000); do ls -Z / >/dev/null 2>&1 || ls / >/dev/null || exit 1; done"]);
        info.Environment["LD_PRELOAD"] = Tree.Shim;
        info.Environment["OVERLAY_VOLUMES"] = directory.Path;
        using var process = Process.Start(info)!;
        process.WaitForExit();
        Assert.Equal(0, process.ExitCode);
    }

    private static byte[] ReadPatchedLibc(string volume, out byte[] original, out ulong address)
    {
        using var process = Start(volume);
        try
        {
            var fields = File.ReadAllLines($"/proc/{process.Id}/maps")
                .Single(line => line.Contains("libc.so", StringComparison.Ordinal) && line.Contains("r-xp", StringComparison.Ordinal))
                .Split(' ', StringSplitOptions.RemoveEmptyEntries);
            var range = fields[0].Split('-').Select(part => ulong.Parse(part, NumberStyles.HexNumber, CultureInfo.InvariantCulture)).ToArray();
            address = range[0];
            original = new byte[range[1] - range[0]];
            using (var file = File.OpenRead(fields[^1]))
            {
                file.Position = long.Parse(fields[2], NumberStyles.HexNumber, CultureInfo.InvariantCulture);
                file.ReadExactly(original.AsSpan(0, (int)Math.Min(original.Length, file.Length - file.Position)));
            }
            var text = new byte[original.Length];
            using var memory = File.OpenRead($"/proc/{process.Id}/mem");
            memory.Position = (long)range[0];
            memory.ReadExactly(text);
            return text;
        }
        finally
        {
            process.Kill();
        }
    }

    /// <summary>A process that has started and waits for us.</summary>
    private static Process Start(string volume)
    {
        var info = new ProcessStartInfo("sh", ["-c", "echo started; exec cat"]) { RedirectStandardInput = true, RedirectStandardOutput = true };
        info.Environment["LD_PRELOAD"] = Tree.Shim;
        info.Environment["OVERLAY_VOLUMES"] = volume;
        var process = Process.Start(info)!;
        Assert.Equal("started", process.StandardOutput.ReadLine());
        // cat is there when it answers.
        process.StandardInput.Write("ready\n");
        process.StandardInput.Flush();
        Assert.Equal("ready", process.StandardOutput.ReadLine());
        return process;
    }

    private static void Decode(byte[] code, ulong address, HashSet<ulong> starts, HashSet<ulong> targets)
    {
        var decoder = Decoder.Create(64, code);
        decoder.IP = address;
        while (decoder.IP < address + (ulong)code.Length)
        {
            var instruction = decoder.Decode();
            starts.Add(instruction.IP);
            if (instruction.IsJccShortOrNear || instruction.IsJmpShortOrNear || instruction.IsCallNear)
                targets.Add(instruction.NearBranchTarget);
        }
    }

    private static List<int> FindPatches(byte[] original, byte[] text)
    {
        var patches = new List<int>();
        for (var i = 0; i < text.Length; i++)
        {
            if (text[i] == original[i])
                continue;
            patches.Add(i);
            i += JumpLength - 1;
            // What is behind the jump and was replaced as well is traps.
            while (i + 1 < text.Length && text[i + 1] == 0xCC && original[i + 1] != 0xCC)
                i++;
        }
        return patches;
    }

    private static int CountOf(byte[] haystack, byte[] needle)
    {
        var count = 0;
        for (var at = haystack.AsSpan().IndexOf(needle); at >= 0;)
        {
            count++;
            var next = haystack.AsSpan(at + 1).IndexOf(needle);
            at = next < 0 ? -1 : at + 1 + next;
        }
        return count;
    }
}
