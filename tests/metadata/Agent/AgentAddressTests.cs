using System;
using System.IO;
using Overlay.Crypto;
using Overlay.Metadata.Agent;
using Overlay.Metadata.Interop;
using Overlay.Metadata.Tests.Support;
using Xunit;

namespace Overlay.Metadata.Tests.Agent;

public class AgentAddressTests
{
    [Fact]
    public void Directory_is_made_private_under_the_chosen_place()
    {
        using var directory = new TestDirectory();
        var id = Convert.FromHexString("00112233445566778899aabbccddeeff");
        Environment.SetEnvironmentVariable(AgentAddress.RuntimeDirectoryVariable, directory.Path);
        try
        {
            var path = AgentAddress.ForVolume(id);
            var parent = directory.At($"overlay-{ProcessCalls.EffectiveUserId()}");
            Assert.Equal(Path.Combine(parent, "00112233445566778899aabbccddeeff.sock"), path);
            Assert.Equal(Path.Combine(parent, "run-12.sock"), AgentAddress.ForRun(12));
            Assert.Equal(0x1C0, (int)File.GetUnixFileMode(parent));
            File.SetUnixFileMode(parent, File.GetUnixFileMode(parent) | UnixFileMode.GroupWrite);
            Assert.Equal(Errno.NotPermitted, Assert.Throws<ErrnoException>(() => AgentAddress.ForVolume(id)).Errno);
        }
        finally
        {
            Environment.SetEnvironmentVariable(AgentAddress.RuntimeDirectoryVariable, null);
        }
    }

    [Fact]
    public void Directory_is_refused_when_it_is_a_link_or_a_file_or_missing()
    {
        using var directory = new TestDirectory();
        Directory.CreateSymbolicLink(directory.At("link"), directory.Path);
        File.WriteAllText(directory.At("file"), "");
        foreach (var name in new[] { "link", "file", "none" })
            Assert.Throws<ErrnoException>(() => AgentAddress.CheckDirectory(directory.At(name)));
        AgentAddress.CheckDirectory(directory.Path);
    }

    [Fact]
    public void Directory_of_another_user_is_refused()
    {
        var owner = ProcessCalls.EffectiveUserId() == 0 ? "another" : "root";
        using var directory = new TestDirectory();
        var place = "/";
        if (owner == "another")
        {
            place = directory.At("theirs");
            Directory.CreateDirectory(place, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
            Assert.Equal(0, ChildProcess.Run("chown", "65534", place).Status);
        }
        Assert.Equal(Errno.NotPermitted, Assert.Throws<ErrnoException>(() => AgentAddress.CheckDirectory(place)).Errno);
    }
}
