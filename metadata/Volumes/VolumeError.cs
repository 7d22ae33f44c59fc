namespace Overlay.Metadata.Volumes;

/// <summary>Why a volume or its store cannot be made, opened or unlocked.</summary>
public enum VolumeError
{
    /// <summary>The path is not a directory.</summary>
    NotADirectory,
    /// <summary>The directory is not a volume.</summary>
    NotAVolume,
    /// <summary>The directory is a volume already.</summary>
    AlreadyAVolume,
    /// <summary>The directory has content that would not be sealed.</summary>
    NotEmpty,
    /// <summary>Making the volume was interrupted; making it again completes it.</summary>
    HalfMade,
    /// <summary>There is something at the store's path that was not made for this volume.</summary>
    StoreExists,
    /// <summary>The store is not where the configuration says.</summary>
    StoreMissing,
    /// <summary>The store is not a sound database of ours, or contradicts itself or the configuration.</summary>
    StoreDamaged,
    /// <summary>Configuration or store were written by a newer Overlay.</summary>
    TooNew,
    /// <summary>Another process holds the store, or makes the volume, right now.</summary>
    Busy,
    /// <summary>The store cannot be read or written: permissions, a failing disk.</summary>
    StoreUnavailable,
    /// <summary>There is no room for the store to grow.</summary>
    DiskFull,
    /// <summary>config.json cannot be understood.</summary>
    ConfigDamaged,
    /// <summary>No key slot opens with this key or passphrase.</summary>
    WrongKey,
    /// <summary>The volume has no key slot of this kind.</summary>
    NoSuchSlot,
    /// <summary>It is the only key slot: without it nobody could unlock the volume any more.</summary>
    LastSlot,
    /// <summary>No other slot unlocks the volume without a person.</summary>
    LastUnattendedSlot,
    /// <summary>A slot has no public key yet: it was made by an older Overlay and not used since.</summary>
    SlotNotReady,
    /// <summary>The key file cannot serve: unreadable, too short or too long.</summary>
    UnusableKey,
    /// <summary>A copy of the store is older than what is there; nobody said that this is meant.</summary>
    WouldRollBack,
    /// <summary>An option is out of its range.</summary>
    BadOption,
}
