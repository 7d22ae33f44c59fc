namespace Overlay.Metadata.Volumes;

/// <summary>What is said of kinds of slots.</summary>
internal static class SlotKinds
{
    internal static string Name(SlotKind kind) => kind switch
    {
        SlotKind.Passphrase => "passphrase",
        SlotKind.KeyFile => "key file",
        SlotKind.Recipient => "recipient",
        SlotKind.Token => "token",
        _ => "unknown",
    };

    /// <summary>A service can unlock the volume with it while nobody is there.</summary>
    internal static bool IsUnattended(SlotKind kind) => kind is SlotKind.KeyFile or SlotKind.Token;
}
