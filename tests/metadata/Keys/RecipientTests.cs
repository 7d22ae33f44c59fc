using System;
using System.Linq;
using System.Text;
using Overlay.Crypto;
using Overlay.Metadata.Keys;
using Overlay.Metadata.Tests.Support;
using Overlay.Metadata.Volumes;
using Xunit;

namespace Overlay.Metadata.Tests.Keys;

public class RecipientTests
{
    // BIP 173: valid checksums, and ones that are not.
    [Theory]
    [InlineData("a", "A12UEL5L", true)]
    [InlineData("a", "a12uel5l", true)]
    [InlineData("abcdef", "abcdef1qpzry9x8gf2tvdw0s3jn54khce6mua7lmqqqxw", true)]
    [InlineData("split", "split1checkupstagehandshakeupstreamerranterredcaperred2y9e3w", true)]
    [InlineData("a", "a12uEL5L", false)]
    [InlineData("a", "a12uel5m", false)]
    [InlineData("de", "de1lg7wt", false)]
    [InlineData("b", "a12uel5l", false)]
    public void Checksums_are_those_of_Bech32(string prefix, string text, bool isSound) =>
        // Where the data are no whole bytes the text is refused after the checksum; these have none, or fit.
        Assert.Equal(isSound, Bech32.TryDecode(prefix, Encoding.ASCII.GetBytes(text)) is not null);

    [Fact]
    public void Every_wrong_character_of_a_key_is_found()
    {
        var text = RecipientText.Public(RecipientSeal.PublicKey(Enumerable.Range(0, 32).Select(i => (byte)i).ToArray()));
        Assert.StartsWith("overlay1", text, StringComparison.Ordinal);
        Assert.Equal(32, RecipientText.TryParsePublic(text)!.Length);
        for (var i = 0; i < text.Length; i++)
        {
            var wrong = text.ToCharArray();
            wrong[i] = wrong[i] == 'q' ? 'p' : 'q';
            Assert.Null(RecipientText.TryParsePublic(new string(wrong)));
        }
        Assert.Null(RecipientText.TryParsePublic(text[..^1]));
    }

    [Fact]
    public void A_recipient_unlocks_before_and_after_the_volume_key_was_changed_and_others_do_not()
    {
        using var volume = new TestVolume();
        byte[] mine = Filled(1), other = Filled(2);
        using (var unlocked = volume.Unlock())
            Assert.Equal(SlotKind.Recipient, unlocked.AddRecipient(RecipientSeal.PublicKey(mine), "escrow").Kind);
        using var identity = KeySecret.FromIdentity(mine);
        using (var unlocked = VolumeUnlocker.Unlock(volume.Root, identity))
        using (var rotation = new KeyRotation(unlocked, []))
            _ = rotation.Run();
        VolumeUnlocker.Unlock(volume.Root, identity).Dispose();
        volume.Unlock().Dispose();
        using var stranger = KeySecret.FromIdentity(other);
        Assert.Equal(VolumeError.WrongKey, Assert.Throws<VolumeException>(() => VolumeUnlocker.Unlock(volume.Root, stranger)).Error);
    }

    [Fact]
    public void An_identity_file_says_things_to_people_and_holds_one_key()
    {
        var key = Filled(7);
        var text = (byte[])[.. "# made by hand\n\n"u8, .. RecipientText.Private(key), .. "\r\n"u8];
        Assert.Equal(key, RecipientText.TryFindPrivate(text));
        text[^8] ^= 1;
        Assert.Null(RecipientText.TryFindPrivate(text));
        Assert.Null(RecipientText.TryFindPrivate("# nothing\n"u8));
    }

    [Fact]
    public void The_last_slot_stays_and_the_last_that_needs_no_person_needs_a_word()
    {
        using var volume = new TestVolume();
        using var unlocked = volume.Unlock();
        Assert.Equal(VolumeError.LastSlot, Assert.Throws<VolumeException>(() => unlocked.RemoveSlot(1, mayLeaveNoneUnattended: true)).Error);
        unlocked.AddRecipient(RecipientSeal.PublicKey(Filled(1)), "escrow");
        Assert.Equal(VolumeError.LastUnattendedSlot, Assert.Throws<VolumeException>(() => unlocked.RemoveSlot(1)).Error);
        Assert.Equal(2, unlocked.Store.ReadKeySlots().Count);
        unlocked.RemoveSlot(2);
        unlocked.AddRecipient(RecipientSeal.PublicKey(Filled(1)), "escrow");
        unlocked.RemoveSlot(1, mayLeaveNoneUnattended: true);
        Assert.Single(unlocked.Store.ReadKeySlots());
    }

    [Fact]
    public void Shares_make_the_identity_again_and_tell_when_they_do_not()
    {
        var key = Filled(9);
        var shares = RecoveryShare.Split(key, 2, 3).Select(share => RecoveryShare.TryParse(share.ToText())!).ToList();
        Assert.Equal(key, RecoveryShare.TryCombine([shares[0], shares[2]]));
        Assert.Equal(key, RecoveryShare.TryCombine([shares[2], shares[2], shares[1]]));
        Assert.Null(RecoveryShare.TryCombine([shares[1], shares[1]]));
        var others = RecoveryShare.Split(Filled(8), 2, 3);
        Assert.Null(RecoveryShare.TryCombine([shares[0], others[1]]));
        var text = shares[0].ToText();
        text[30] = (byte)(text[30] == 'Q' ? 'P' : 'Q');
        Assert.Null(RecoveryShare.TryParse(text));
    }

    private static byte[] Filled(byte value) => [.. Enumerable.Repeat(value, 32)];
}
