using System;
using System.Linq;
using Overlay.Metadata.Keys;
using Overlay.Metadata.Policy;
using Overlay.Metadata.Tests.Support;
using Overlay.Metadata.Volumes;
using Xunit;

namespace Overlay.Metadata.Tests.Policy;

public sealed class PolicyStoreTests : IDisposable
{
    private readonly TestVolume _volume = new();

    [Fact]
    public void Volume_has_no_policy_to_begin_with()
    {
        using var unlocked = _volume.Unlock();
        Assert.Null(PolicyStore.ReadNewest(unlocked));
    }

    [Fact]
    public void Newest_version_is_in_force_and_all_are_kept()
    {
        using var unlocked = _volume.Unlock();
        Assert.Equal(1, PolicyStore.Set(unlocked, "deny", "me").Version);
        Assert.Equal(2, PolicyStore.Set(unlocked, "allow", "ü").Version);
        var newest = PolicyStore.ReadNewest(unlocked)!;
        Assert.Equal((2, "allow", "ü"), (newest.Version, newest.Text, newest.Author));
        Assert.Equal(["deny", "allow"], PolicyStore.ReadAll(unlocked.Store).Select(policy => policy.Text));
    }

    [Fact]
    public void Signatures_hold_when_the_volume_key_is_changed()
    {
        using var unlocked = _volume.Unlock();
        PolicyStore.Set(unlocked, "deny", "me");
        PolicyStore.Set(unlocked, "allow", "me");
        using (var rotation = new KeyRotation(unlocked, []))
            rotation.Run();
        Assert.Equal(2, PolicyStore.ReadNewest(unlocked)!.Version);
        var key = PolicyStore.ReadPublicKey(unlocked.Store)!;
        Assert.All(PolicyStore.ReadAll(unlocked.Store), policy => Assert.True(PolicyStore.IsSigned(policy, unlocked.VolumeId.Span, key)));
        Assert.Equal(3, PolicyStore.Set(unlocked, "deny", "me").Version);
    }

    [Theory]
    [InlineData("UPDATE policy SET text = 'allow' WHERE version = 2")]
    [InlineData("UPDATE policy SET author = 'you' WHERE version = 2")]
    [InlineData("UPDATE policy SET created = created + 1 WHERE version = 2")]
    [InlineData("UPDATE policy SET signature = (SELECT signature FROM policy WHERE version = 1) WHERE version = 2")]
    [InlineData("UPDATE policy SET version = 3 WHERE version = 2")]
    [InlineData("DELETE FROM policy WHERE version = 2")]
    [InlineData("DELETE FROM policy")]
    [InlineData("DELETE FROM volume_secret WHERE name = 'policy'")]
    [InlineData("DELETE FROM volume_secret WHERE name = 'signing'")]
    [InlineData("INSERT INTO policy SELECT 3, created, author, text, signature FROM policy WHERE version = 1")]
    [InlineData("UPDATE volume_secret SET wrapped = (SELECT wrapped FROM volume_secret WHERE name = 'signing') WHERE name = 'policy'")]
    public void Policy_that_was_changed_by_hand_is_refused_and_can_be_set_anew(string change)
    {
        using var unlocked = _volume.Unlock();
        PolicyStore.Set(unlocked, "deny", "me");
        PolicyStore.Set(unlocked, "deny path x", "me");
        _volume.Sql(change);
        Assert.Equal(VolumeError.StoreDamaged, Assert.Throws<VolumeException>(() => PolicyStore.ReadNewest(unlocked)).Error);
        if (change.Contains("wrapped", StringComparison.Ordinal))
            return; // the store itself is damaged
        var version = PolicyStore.Set(unlocked, "allow", "me").Version;
        Assert.InRange(version, 3, 4);
        Assert.Equal(version, PolicyStore.ReadNewest(unlocked)!.Version);
    }

    public void Dispose() => _volume.Dispose();
}
