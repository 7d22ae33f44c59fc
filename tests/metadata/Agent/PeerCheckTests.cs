using System;
using System.Diagnostics;
using System.Text;
using Overlay.Metadata.Agent;
using Overlay.Metadata.Interop;
using Overlay.Metadata.Tests.Support;
using Xunit;

namespace Overlay.Metadata.Tests.Agent;

public class PeerCheckTests
{
    private const uint Stranger = 4_000_000_000;

    [Theory]
    [InlineData("12 (cat) S 7 12 12", 7)]
    [InlineData("12 (a) S 1 (b) R 34 5", 34)]
    [InlineData("12 () Z 0 0", 0)]
    [InlineData("12 (cat", 0)]
    [InlineData("12 (cat)", 0)]
    [InlineData("", 0)]
    public void Parent_is_read_behind_the_last_parenthesis(string stat, int parent) =>
        Assert.Equal(parent, PeerCheck.ParseParent(Encoding.ASCII.GetBytes(stat)));

    [Fact]
    public void Descendant_is_allowed_as_any_user_and_others_are_not()
    {
        using var child = ChildProcess.Start("sh", ["-c", "sleep 60 & echo $!; wait"]);
        try
        {
            var grandchild = int.Parse(child.StandardOutput.ReadLine()!, System.Globalization.CultureInfo.InvariantCulture);
            var underUs = new PeerCheck(Environment.ProcessId);
            Assert.True(underUs.IsAllowed(Peer(grandchild)));
            Assert.True(underUs.IsAllowed(Peer(Environment.ProcessId)));
            Assert.False(new PeerCheck(grandchild).IsAllowed(Peer(child.Id)));
            Assert.False(new PeerCheck(0).IsAllowed(Peer(grandchild)));
            Assert.False(underUs.IsAllowed(Peer(0)));
            Assert.False(underUs.IsAllowed(Peer(int.MaxValue)));
        }
        finally
        {
            child.Kill(entireProcessTree: true);
        }
    }

    [Fact]
    public void Own_user_is_allowed_from_anywhere() =>
        Assert.True(new PeerCheck(0).IsAllowed(new PeerCredentials { ProcessId = 1, UserId = ProcessCalls.EffectiveUserId() }));

    private static PeerCredentials Peer(int processId) => new() { ProcessId = processId, UserId = Stranger };
}
