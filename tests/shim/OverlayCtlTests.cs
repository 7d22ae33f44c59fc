using System.IO;
using Xunit;

namespace Overlay.Shim.Tests;

/// <summary>overlay-ctl is left alone, whatever starts it and under whatever name. Seen by a volume that no other program starts with.</summary>
public sealed class OverlayCtlTests
{
    private static readonly string s_program = Path.Combine(Tree.Out, "bin/overlay-ctl");

    [Fact]
    public void Overlay_ctl_starts_where_a_volume_cannot_be_used()
    {
        Assert.Equal(0, RunWithoutVolume(s_program, "--version").ExitCode);
        Assert.NotEqual(0, RunWithoutVolume("/bin/true").ExitCode);
    }

    [Fact]
    public void Overlay_ctl_starts_by_another_name_too()
    {
        using var directory = new TemporaryDirectory();
        var link = Path.Combine(directory.Path, "other");
        File.CreateSymbolicLink(link, s_program);

        Assert.Equal(0, RunWithoutVolume(link, "--version").ExitCode);
    }

    private static NativeBuild.Outcome RunWithoutVolume(string program, params string[] arguments) =>
        NativeBuild.Run(program, arguments, ("LD_PRELOAD", Tree.Shim), ("OVERLAY_VOLUMES", "/no/such/volume"));
}
