using System;
using System.CommandLine;
using System.Text;
using Overlay.Crypto;
using Overlay.Metadata.Keys;
using Overlay.Metadata.Volumes;

namespace Overlay.Ctl.Keys;

/// <summary>overlay-ctl key recipient: pairs of keys for recovery kits and escrow.</summary>
internal static class RecipientCommand
{
    internal static Command Make() => new("recipient", "Make and show X25519 identities: who has one unlocks the volumes that have its public key in a slot.")
    {
        MakeNew(), MakeShow(),
    };

    internal static byte[] Parse(string text) => RecipientText.TryParsePublic(text)
        ?? throw new ControlException(ExitCodes.Usage, "--recipient: this is not a public key (overlay1…), or a character of it is wrong.");

    private static Command MakeNew()
    {
        Argument<string> file = new("FILE") { Description = "The identity file to make, for its owner alone. Keep it away from the volume." };
        Command command = new("new", "Make an identity file; print its public key, for 'key add --recipient'.") { file };
        command.SetAction(parsed =>
        {
            byte[] privateKey = GC.AllocateUninitializedArray<byte>(RecipientSeal.KeySize, pinned: true);
            try
            {
                NonceSource.Fill(privateKey);
                IdentityFile.Write(parsed.GetValue(file)!, privateKey);
                Console.WriteLine(RecipientText.Public(RecipientSeal.PublicKey(privateKey)));
            }
            finally
            {
                Secret.Wipe(privateKey);
            }
            return ExitCodes.Ok;
        });
        return command;
    }

    private static Command MakeShow()
    {
        Argument<string> file = new("FILE") { Description = "An identity file." };
        Command command = new("show", "Print an identity's public key.") { file };
        command.SetAction(parsed =>
        {
            using KeySecret identity = KeySecret.FromIdentityFile(parsed.GetValue(file)!);
            Console.WriteLine(RecipientText.Public(RecipientSeal.PublicKey(identity.Bytes)));
            return ExitCodes.Ok;
        });
        return command;
    }
}
