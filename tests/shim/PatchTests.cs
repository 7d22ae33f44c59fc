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
    [Fact]
    public void Text_differs_only_where_the_plan_says()
    {
        using var directory = new TemporaryDirectory();
        var text = ReadPatchedLibc(directory.Path, out var original, out var address, out var path);
        var planned = new HashSet<ulong>();
        foreach (var site in PlannedSite.Plan(path, everyCall: true).Sites)
            for (var at = site.Start; at < site.Start + (ulong)site.Overwritten; at++)
                planned.Add(at);
        var padding = new DecodedText(path).Instructions.Values.Where(i => i.Mnemonic is Mnemonic.Nop or Mnemonic.Int3)
            .SelectMany(i => Enumerable.Range(0, i.Length).Select(offset => i.IP + (ulong)offset)).ToHashSet();

        var changed = Enumerable.Range(0, text.Length).Where(i => text[i] != original[i]).Select(i => address + (ulong)i).ToList();

        Assert.InRange(changed.Count, 200, 3000);
        Assert.All(changed, at => Assert.True(planned.Contains(at) || padding.Contains(at), $"{at:x} was changed"));
        Assert.InRange(changed.Count(at => !planned.Contains(at)), 0, 5 * 8);    // a few springboards in the padding
    }

    [Fact]
    public void No_write_of_libc_is_left_as_it_was()
    {
        using var directory = new TemporaryDirectory();
        var text = ReadPatchedLibc(directory.Path, out var original, out _, out _);

        byte[] write = [0xB8, 1, 0, 0, 0, 0x0F, 0x05];    // mov $1,%eax; syscall
        Assert.True(CountOf(original, write) > 0);
        Assert.Equal(0, CountOf(text, write));
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

    private static byte[] ReadPatchedLibc(string volume, out byte[] original, out ulong address, out string path)
    {
        using var process = Start(volume);
        try
        {
            var fields = File.ReadAllLines($"/proc/{process.Id}/maps")
                .Single(line => line.Contains("libc.so", StringComparison.Ordinal) && line.Contains("r-xp", StringComparison.Ordinal))
                .Split(' ', StringSplitOptions.RemoveEmptyEntries);
            var range = fields[0].Split('-').Select(part => ulong.Parse(part, NumberStyles.HexNumber, CultureInfo.InvariantCulture)).ToArray();
            path = fields[^1];
            // Text lies in memory as far from the start of the file as in the file: addresses as in the plan.
            address = ulong.Parse(fields[2], NumberStyles.HexNumber, CultureInfo.InvariantCulture);
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
