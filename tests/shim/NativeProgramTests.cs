using Xunit;

namespace Overlay.Shim.Tests;

/// <summary>Programs in native/ that patch themselves and check from inside what C# cannot see.</summary>
public sealed class NativeProgramTests
{
    [Theory]
    [InlineData("test_registers", "registers kept")]
    [InlineData("test_process", "children made")]
    [InlineData("test_signal", "signals handled")]
    [InlineData("test_cancel", "threads cancelled")]
    [InlineData("test_known", "plans agree")]
    [InlineData("test_text", "text respected")]
    [InlineData("test_paths", "paths agree")]
    [InlineData("test_elf", "images read")]
    [InlineData("test_scan", "calls found")]
    public void Patched_libc_behaves_like_libc_when_a_program_looks_closely(string program, string lastWords)
    {
        var outcome = NativeBuild.Run("sh", ["-c", "umask 022; exec " + NativeBuild.PathOf(program)]);

        Assert.True(outcome.ExitCode == 0, outcome.Errors);
        Assert.StartsWith(lastWords, outcome.Output);
    }
}
