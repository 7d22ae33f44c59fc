namespace Overlay.Crypto;

/// <summary>What is to become of a block that is being compressed, as far as can be told from its beginning.</summary>
internal enum Effort
{
    GoOn,

    /// <summary>The rest as it is takes as many pages as it would take compressed.</summary>
    Enough,

    /// <summary>No page will be saved.</summary>
    InVain,
}
