import Networks

extension HRNetSegmentation: PublishedModel {}
