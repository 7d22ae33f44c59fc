using System.Collections.Generic;
using System.IO;
using System.Linq;
using Iced.Intel;
using Xunit;

namespace Overlay.Shim.Tests;

/// <summary>
/// Decodes this machine's libc with Iced and holds the patcher's plan against it. More libraries to check can be named
/// in OVERLAY_TEST_LIBCS, separated by colons.
/// </summary>
public sealed class SitePlanTests
{
    public static TheoryData<string> Libraries()
    {
        var data = new TheoryData<string> { "/lib/x86_64-linux-gnu/libc.so.6", "/lib64/ld-linux-x86-64.so.2" };
        foreach (var more in (System.Environment.GetEnvironmentVariable("OVERLAY_TEST_LIBCS") ?? "").Split(':'))
            if (more.Length > 0)
                data.Add(more);
        return data;
    }

    [Theory]
    [MemberData(nameof(Libraries))]
    public void Plan_covers_every_syscall_instruction_when_libc_is_known(string library)
    {
        var (exitCode, sites) = PlannedSite.Plan(library);
        var text = new DecodedText(library);

        var planned = sites.Where(site => site.Fate != SiteFate.NotCode && !site.IsRedirectedCall)
                           .Select(site => site.Syscall).ToHashSet();
        var real = text.Instructions.Values.Where(i => i.Mnemonic == Mnemonic.Syscall).Select(i => i.IP).ToHashSet();
        Assert.True(real.IsSubsetOf(planned), "missed: " + string.Join(' ', real.Except(planned).Select(a => a.ToString("x"))));
        Assert.DoesNotContain(sites, site => site.Fate == SiteFate.Unpatchable);
        Assert.DoesNotContain(sites, site => site.Fate == SiteFate.NotCode && real.Contains(site.Syscall));
        Assert.Equal(0, exitCode);
    }

    [Theory]
    [MemberData(nameof(Libraries))]
    public void Plan_overwrites_only_whole_instructions_that_nothing_jumps_into(string library)
    {
        var text = new DecodedText(library);
        var patched = Patched(library);

        Assert.NotEmpty(patched);
        foreach (var site in patched)
        {
            Assert.Equal(Mnemonic.Syscall, text.Instructions[site.Syscall].Mnemonic);
            Assert.True(site.Overwritten >= (site.Fate == SiteFate.Springboard ? 2 : 5));
            if (!site.IsRedirectedCall)
            {
                // The moved instructions are whole, in a row, and end at the call; only the first may be jumped to.
                Assert.Equal(site.Syscall, site.Start + (ulong)site.Moved);
                Assert.Equal(site.Syscall, EndAfter(text, site.Start, site.Moved));
                Assert.True(site.Overwritten <= site.Moved);
                Assert.Equal(site.Start + (ulong)site.Overwritten, EndAfter(text, site.Start, site.Overwritten));
                for (var at = site.Start + 1; at <= site.Syscall; at++)
                    Assert.DoesNotContain(at, text.Targets);
            }
            else
            {
                Assert.True(text.Instructions[site.Start].Code is Code.Call_rel32_64 or Code.Jmp_rel32_64);
            }
        }
    }

    [Theory]
    [MemberData(nameof(Libraries))]
    public void Plan_puts_springboards_only_into_padding(string library)
    {
        var text = new DecodedText(library);
        var boards = Patched(library).Where(site => site.Fate == SiteFate.Springboard).ToList();

        foreach (var site in boards)
        {
            var distance = (long)site.Springboard - (long)(site.Start + 2);
            Assert.InRange(distance, -128, 127);
            var covering = text.Instructions.Values.Where(i => i.IP < site.Springboard + 5 && i.NextIP > site.Springboard).ToList();
            Assert.All(covering, i => Assert.True(i.Mnemonic is Mnemonic.Nop or Mnemonic.Int3, i.ToString()));
            for (var at = site.Springboard; at < site.Springboard + 5; at++)
                Assert.DoesNotContain(at, text.Targets);
        }
        var sorted = boards.Select(site => site.Springboard).Order().ToList();
        Assert.All(sorted.Zip(sorted.Skip(1)), pair => Assert.True(pair.First + 5 <= pair.Second));
    }

    [Theory]
    [MemberData(nameof(Libraries))]
    public void Plan_knows_the_number_that_the_code_before_the_call_sets(string library)
    {
        var text = new DecodedText(library);
        var (_, sites) = PlannedSite.Plan(library);
        var before = text.Instructions.Values.GroupBy(i => i.NextIP).ToDictionary(g => g.Key, g => g.First());

        foreach (var site in sites.Where(site => site.Fate != SiteFate.NotCode && !site.IsRedirectedCall))
        {
            var previous = before[site.Syscall];
            if (previous.Code == Code.Mov_r32_imm32 && previous.Op0Register == Register.EAX)
                Assert.Equal((int)previous.Immediate32, site.Number);
        }
        Assert.Contains(sites, site => site.Number == 257);    // openat
    }

    [Theory]
    [MemberData(nameof(Libraries))]
    public void Plan_redirects_every_call_when_libc_has_one_cancellable_site(string library)
    {
        var text = new DecodedText(library);
        var (_, sites) = PlannedSite.Plan(library);

        foreach (var function in sites.Where(site => site.Fate == SiteFate.Callers && !site.IsRedirectedCall))
        {
            var callers = text.Instructions.Values
                .Where(i => i.Op0Kind == OpKind.NearBranch64 && i.NearBranchTarget == function.Start)
                .Select(i => i.IP).ToHashSet();
            var redirected = sites.Where(site => site.IsRedirectedCall).Select(site => site.Start).ToHashSet();
            Assert.NotEmpty(callers);
            Assert.Equal(callers, redirected);
        }
    }

    private static List<PlannedSite> Patched(string library) =>
        PlannedSite.Plan(library).Sites
            .Where(site => site.Fate is SiteFate.Jump or SiteFate.Springboard || site.IsRedirectedCall).ToList();

    private static ulong EndAfter(DecodedText text, ulong start, int length)
    {
        var at = start;
        while (at < start + (ulong)length)
            at = text.Instructions.TryGetValue(at, out var instruction)
                ? instruction.NextIP
                : throw new InvalidDataException($"{at:x} is not an instruction");
        return at;
    }
}
